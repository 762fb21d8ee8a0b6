export { quirks } from './quirks.ts'
export { redfish } from './redfish.ts'
