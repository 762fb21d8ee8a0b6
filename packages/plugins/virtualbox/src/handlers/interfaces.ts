import { deviceError, locationOf, type MachineInterface, pairMacs, tooFewAdapters } from '@contractor/driver'
import { type MachineInfo, macsOf } from './machine-info.ts'
import type { VBox } from './vboxmanage.ts'

/** Its MACs, by where its ports are. */
export function interfaceMapOf(
  vbox: VBox,
  info: MachineInfo,
  ports: readonly MachineInterface[],
): Record<string, string> {
  const locations = ports.map(locationOf)
  const macs = macsOf(info)
  if (macs.length >= locations.length) return pairMacs(locations, macs)
  throw deviceError('DEVICE_REFUSED', vbox.name, tooFewAdapters(locations, macs))
}
