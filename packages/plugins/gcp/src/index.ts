export { gce } from './gce.ts'
export { quirks } from './quirks.ts'
