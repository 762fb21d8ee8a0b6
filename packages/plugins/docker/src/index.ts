export { dockerComplex } from './connection.ts'
export { docker } from './docker.ts'
export { quirks } from './quirks.ts'
