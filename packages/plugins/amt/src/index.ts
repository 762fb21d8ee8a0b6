export { amt } from './amt.ts'
export { quirks } from './quirks.ts'
