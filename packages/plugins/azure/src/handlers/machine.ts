import { deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { ContractorError, type Json } from '@contractor/plugin'
import type { MachineState } from '../tasks.ts'
import type { Arm, Resource } from './arm.ts'

/** What tells our machines, interfaces and disks from others, and one call's from another's. */
export const tags = { foundation: 'contractor.foundation', call: 'contractor.call' } as const

export interface Wanted {
  name: string
  locator: string
  is_named: boolean
}

export const machines = 'Microsoft.Compute/virtualMachines'
export const disks = 'Microsoft.Compute/disks'
export const interfaces = 'Microsoft.Network/networkInterfaces'

export const objectOf = (value: Json | undefined): Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
const listOf = (value: Json | undefined): Resource[] => (Array.isArray(value) ? value.map(objectOf) : [])
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
export const propertiesOf = (found: Resource): Resource => objectOf(found.properties)

const tagOf = (found: Resource, key: string): Json | undefined => objectOf(found.tags)[key]
export const isOwn = (found: Resource, { locator }: Pick<Wanted, 'locator'>): boolean =>
  tagOf(found, tags.foundation) === locator
export const isOfCall = (found: Resource, wanted: Pick<Wanted, 'locator'>, callId: string): boolean =>
  isOwn(found, wanted) && tagOf(found, tags.call) === callId

export const provisioningOf = (found: Resource): string => textOf(propertiesOf(found).provisioningState)

/** With what it does just now, which Azure says only when it is asked. */
export const findAny = (arm: Arm, { name }: Pick<Wanted, 'name'>): Promise<Resource | undefined> =>
  arm.find(`${machines}/${name}`, { $expand: 'instanceView' })

/** One that Contractor has made, or that was taken in by its name. Another one of the same name is none of ours. */
export async function findMachine(arm: Arm, wanted: Wanted): Promise<Resource | undefined> {
  const found = await findAny(arm, wanted)
  if (!found || isOwn(found, wanted)) return found
  return wanted.is_named && tagOf(found, tags.foundation) === undefined ? found : undefined
}

export async function getMachine(arm: Arm, wanted: Wanted): Promise<Resource> {
  const found = await findMachine(arm, wanted)
  if (found) return found
  const message = `${arm.name}: there is no machine '${wanted.name}' of this Foundation`
  throw new ContractorError('NOT_FOUND', message, { kind: 'virtualMachines', id: wanted.name })
}

const powerWord = (found: Resource): string => {
  const statuses = listOf(objectOf(propertiesOf(found).instanceView).statuses)
  const code = statuses.map(one => textOf(one.code)).find(one => one.startsWith('PowerState/'))
  return code?.slice('PowerState/'.length) ?? ''
}

/** Where it is not said, nobody knows; on its way from one to the other it is neither. */
export function powerOf(found: Resource): PowerState {
  const word = powerWord(found)
  if (word === 'running') return 'on'
  return word === 'deallocated' || word === 'stopped' ? 'off' : 'unknown'
}

/** One that was shut down from inside is off, and still has its place, which is paid for: to switch it off gives that back. */
export const powerFor = (found: Resource, action: PowerAction): PowerState =>
  powerWord(found) === 'stopped' && (action === 'off' || action === 'soft') ? 'unknown' : powerOf(found)

export async function sendPower(arm: Arm, { name }: Wanted, action: PowerAction): Promise<void> {
  const path = `${machines}/${name}`
  if (action === 'on') return arm.change('POST', `${path}/start`)
  if (action === 'reset') return arm.change('POST', `${path}/restart`)
  // Azure asks the operating system as it takes the place away, unless it is off then.
  if (action === 'off') await arm.change('POST', `${path}/powerOff`, { query: { skipShutdown: 'true' } })
  return arm.change('POST', `${path}/deallocate`)
}

export function toState(found: Resource | undefined, { name }: Wanted): MachineState {
  if (!found) return { name: null, power: '', provisioning: '', size: '', call: null }
  const call = tagOf(found, tags.call)
  return {
    name,
    power: powerWord(found),
    provisioning: provisioningOf(found),
    size: textOf(objectOf(propertiesOf(found).hardwareProfile).vmSize),
    call: typeof call === 'string' ? call : null,
  }
}

/** Its MACs, in the order of its interfaces: `00-0D-3A-…`, and none before it has run. */
export async function macsOf(arm: Arm, found: Resource): Promise<string[]> {
  const refs = listOf(objectOf(propertiesOf(found).networkProfile).networkInterfaces)
  const macs: string[] = []
  for (const { id } of refs) {
    const name = textOf(id).split('/').at(-1) ?? ''
    const mac = textOf(propertiesOf((await arm.find(`${interfaces}/${name}`)) ?? {}).macAddress)
    if (!mac)
      throw deviceError(
        'DEVICE_BUSY',
        arm.name,
        `interface '${name}' has no MAC yet: it gets one as the machine starts`,
      )
    macs.push(mac.replaceAll('-', ':').toLowerCase())
  }
  return macs
}
