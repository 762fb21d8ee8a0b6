export { aws } from './aws.ts'
export { quirks } from './quirks.ts'
