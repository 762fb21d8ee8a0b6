/** What the definitions of drivers share. Imports zod and the plugin contract only: engines load it. */

export { fingerprint, host, password, port, userName } from './connection.ts'
export type { DeviceErrorCode, DeviceErrorOptions } from './device-error.ts'
export { deviceError } from './device-error.ts'
export type { DeviceFunctionOptions } from './device-function.ts'
export { createDeviceFunctions } from './device-function.ts'
export type { PowerAction, PowerOptions, PowerState } from './power.ts'
export { changePower, definePower, powerAction, powerState, powerTasks } from './power.ts'
export type { Quirk } from './quirk.ts'
export { defineQuirks } from './quirk.ts'
export type { SnmpConnection } from './snmp-connection.ts'
export { oid, snmpConnection } from './snmp-connection.ts'
export type { InterfaceMapOptions, VmInterface } from './virtual-machine.ts'
export {
  defineInterfaceMap,
  macList,
  pairMacs,
  specOf,
  vmDiskSize,
  vmInterface,
  vmInterfaces,
  vmPlaces,
  vmSize,
} from './virtual-machine.ts'
