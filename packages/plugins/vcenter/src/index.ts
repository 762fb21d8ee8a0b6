export { vcenterComplex } from './connection.ts'
export { quirks } from './quirks.ts'
export { vcenter } from './vcenter.ts'
