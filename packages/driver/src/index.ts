/** What the definitions of drivers share. Imports zod and the plugin contract only: engines load it. */

export { fingerprint, host, password, port, userName } from './connection.ts'
export type { DeviceErrorCode, DeviceErrorOptions } from './device-error.ts'
export { deviceError } from './device-error.ts'
export type { DeviceFunctionOptions } from './device-function.ts'
export { createDeviceFunctions } from './device-function.ts'
export type { MachineOptions, MachineSeen } from './machine-functions.ts'
export { defineMachine, machineSeen, machineTasks } from './machine-functions.ts'
export type { PowerAction, PowerOptions, PowerState } from './power.ts'
export { changePower, definePower, powerAction, powerState, powerTasks } from './power.ts'
export type { Quirk } from './quirk.ts'
export { defineQuirks } from './quirk.ts'
export { defineSnapshots, snapshotTasks } from './snapshot-functions.ts'
export type { SnmpConnection } from './snmp-connection.ts'
export { oid, snmpConnection } from './snmp-connection.ts'
export type { SshConnection, SshLogin } from './ssh-connection.ts'
export { hostKey, sshConnection, sshLogin } from './ssh-connection.ts'
export type { ConnectedInterface, InterfaceMapOptions, MachineInterface } from './virtual-machine.ts'
export {
  connectedInterface,
  connectedInterfacesOf,
  defineInterfaceMap,
  interfacesOf,
  locationOf,
  locationsOf,
  machineInterface,
  machineName,
  machineNameOf,
  machineSize,
  macList,
  pairMacs,
  setInterfaceMacs,
  specOf,
  tooFewAdapters,
} from './virtual-machine.ts'
