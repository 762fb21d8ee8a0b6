export { ipmi } from './ipmi.ts'
export { quirks } from './quirks.ts'
