export { azure } from './azure.ts'
export { azureComplex } from './connection.ts'
export { quirks } from './quirks.ts'
