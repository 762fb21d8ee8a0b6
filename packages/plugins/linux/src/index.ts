export { connectionOf } from './connection.ts'
export { linux } from './linux.ts'
export { quirks } from './quirks.ts'
