import { deviceError, locationOf, type MachineInterface, pairMacs } from '@contractor/driver'
import { type MachineInfo, macsOf } from './machine-info.ts'
import type { VBox } from './vboxmanage.ts'

export const interfaceMapOf = (vbox: VBox, info: MachineInfo, ports: readonly MachineInterface[]) =>
  mapAt(vbox, info, ports.map(locationOf))

export function mapAt(vbox: VBox, info: MachineInfo, locations: readonly string[]): Record<string, string> {
  const macs = macsOf(info)
  const map = pairMacs(locations, macs)
  if (map) return map
  const has = `the machine has ${macs.length} ports, and the Foundation ${locations.length}: ${locations.join(', ')}`
  throw deviceError('DEVICE_REFUSED', vbox.name, has)
}
