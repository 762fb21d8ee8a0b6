import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import type { BootOverride } from '../tasks.ts'
import type { Resource, Service } from './service.ts'
import { getSystem, linkOf, objectOf, textOf } from './system.ts'

/** The override targets of DSP0268, schema ComputerSystem. */
const targets: Readonly<Record<BootOverride['device'], string>> = {
  none: 'None',
  pxe: 'Pxe',
  disk: 'Hdd',
  cdrom: 'Cd',
  bios: 'BiosSetup',
  diag: 'Diags',
  usb: 'Usb',
  http: 'UefiHttp',
}

export function readOverride(service: Service, system: Resource): BootOverride {
  const boot = objectOf(system.Boot)
  const target = textOf(boot.BootSourceOverrideTarget)
  const enabled = textOf(boot.BootSourceOverrideEnabled)
  const found = Object.entries(targets).find(([, one]) => one === target)?.[0] as BootOverride['device'] | undefined
  if (found === undefined && target)
    throw deviceError('DEVICE_ANSWER_INVALID', service.name, `it boots from '${target}', which nobody knows here`, {
      retryable: false,
    })
  return {
    device: enabled === 'Disabled' || found === undefined ? 'none' : found,
    persistent: enabled === 'Continuous',
    uefi: textOf(boot.BootSourceOverrideMode) !== 'Legacy',
  }
}

export async function setOverride(
  service: Service,
  wanted: Connection & { device: BootOverride['device']; persistent: boolean; uefi: boolean | null },
): Promise<BootOverride> {
  const { device, persistent, uefi } = wanted
  const system = await getSystem(service, wanted)
  const before = readOverride(service, system)
  const override = {
    BootSourceOverrideEnabled: device === 'none' ? 'Disabled' : persistent ? 'Continuous' : 'Once',
    BootSourceOverrideTarget: targets[device],
    BootSourceOverrideMode: (uefi ?? before.uefi) ? 'UEFI' : 'Legacy',
  }
  try {
    await service.patch(settingsOf(system), { Boot: override })
  } catch (error) {
    // While a machine tests itself, some refuse it for good, as they say.
    if (isContractorError(error, 'DEVICE_REFUSED') && /POST|self.?test|not allowed.*state/i.test(error.message))
      throw deviceError('DEVICE_BUSY', service.name, error.message.replace(`${service.name}: `, ''))
    throw error
  }
  const after = readOverride(service, await getSystem(service, wanted))
  // What is set for the next start may not show yet.
  if (after.device === device || settingsOf(system) !== system.path)
    return { device, persistent: device !== 'none' && persistent, uefi: uefi ?? before.uefi }
  throw deviceError('DEVICE_REFUSED', service.name, `it was told to boot from ${device}, and says ${after.device}`)
}

/** Where changes of a resource are sent: to itself, or where it says (DSP0266, section 9.10). */
export function settingsOf(resource: Resource & { path: string }): string {
  return linkOf(objectOf(resource['@Redfish.Settings']).SettingsObject) ?? resource.path
}
