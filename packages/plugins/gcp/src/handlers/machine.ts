import { createHash } from 'node:crypto'
import { deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { ContractorError, isContractorError, type Json } from '@contractor/plugin'
import type { MachineState } from '../tasks.ts'
import type { Compute, Resource } from './compute.ts'
import { awaitOperation, type Place, pathOf } from './operation.ts'

/** What tells our machines from others, and one call's from another's: labels have no dots. */
export const labels = { foundation: 'contractor-foundation', call: 'contractor-call' } as const

export interface Wanted extends Place {
  locator: string
  /** Where it is known. */
  id: string | null
}

const deleteMs = 1_200_000
const powerMs = 480_000

/** A label's value: the text itself, or the hash of one that no label can have. */
export const labelOf = (text: string): string =>
  /^[a-z0-9_-]{1,63}$/.test(text) ? text : createHash('sha256').update(text).digest('hex').slice(0, 40)

export const labelsOf = ({ labels: own }: Resource): Readonly<Record<string, Json>> =>
  typeof own === 'object' && own !== null && !Array.isArray(own) ? own : {}

export const isOwn = (found: Resource, locator: string): boolean =>
  labelsOf(found)[labels.foundation] === labelOf(locator)

/** One that Contractor has made, or that was taken in by its id. Another one of the same name is none of ours. */
export async function findMachine(compute: Compute, wanted: Wanted): Promise<Resource | undefined> {
  const found = await compute.find(pathOf(wanted))
  return found && (isOwn(found, wanted.locator) || String(found.id) === wanted.id) ? found : undefined
}

export async function getMachine(compute: Compute, wanted: Wanted): Promise<Resource> {
  const found = await findMachine(compute, wanted)
  if (found) return found
  const message = `${compute.name}: there is no machine '${wanted.name}' of this Foundation in ${wanted.zone} of ${wanted.project}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'instances', id: wanted.name })
}

/** The last part of a URL, by which Google names what it is of. */
const lastOf = (url: Json | undefined): string => (typeof url === 'string' ? (url.split('/').at(-1) ?? '') : '')

interface Nic {
  network?: string
  networkIP?: string
  macAddress?: string
  accessConfigs?: { natIP?: string }[]
}
export const nicsOf = ({ networkInterfaces: nics }: Resource): Nic[] => (Array.isArray(nics) ? (nics as Nic[]) : [])

export function toState(found: Resource | undefined): MachineState {
  if (!found)
    return {
      ...{ exists: false, status: 'GONE', id: null, machine_type: '', interfaces: [], call: null },
    }
  const call = labelsOf(found)[labels.call]
  return {
    exists: true,
    status: String(found.status),
    id: String(found.id),
    machine_type: lastOf(found.machineType),
    interfaces: nicsOf(found).map(one => ({
      network: lastOf(one.network),
      address: one.networkIP ?? null,
      external_address: one.accessConfigs?.find(config => config.natIP)?.natIP ?? null,
    })),
    call: typeof call === 'string' ? call : null,
  }
}

/** https://cloud.google.com/compute/docs/instances/instance-lifecycle: on its way from one to the other it is neither. */
export function powerOf({ status }: Resource): PowerState {
  if (status === 'RUNNING') return 'on'
  return status === 'TERMINATED' || status === 'STOPPED' || status === 'SUSPENDED' ? 'off' : 'unknown'
}

/**
 * Asks, and waits for the operation, in which it is said why not: a zone that is full. Without a request id, for which a second
 * try would be the first.
 */
export async function sendPower(compute: Compute, wanted: Place, found: Resource, action: PowerAction): Promise<void> {
  const verbs = { on: found.status === 'SUSPENDED' ? 'resume' : 'start', off: 'stop', soft: 'stop', reset: 'reset' }
  const operation = await compute.send('POST', `${pathOf(wanted)}/${verbs[action]}`)
  await awaitOperation(compute, wanted, operation, powerMs)
}

export const isOfCall = (found: Resource, { locator }: Pick<Wanted, 'locator'>, callId: string): boolean =>
  isOwn(found, locator) && labelsOf(found)[labels.call] === labelOf(callId)

/** What Contractor has not made is left alone; with a call, all that that call has not made. */
export async function destroyMachine(
  compute: Compute,
  { callId, ...wanted }: Wanted & { callId: string | null },
): Promise<{ destroyed: boolean }> {
  const found = await compute.find(pathOf(wanted))
  if (!found || (callId !== null && !isOfCall(found, wanted, callId))) return { destroyed: false }
  if (!isOwn(found, wanted.locator)) {
    const remedy = `label it ${labels.foundation}=${labelOf(wanted.locator)} to have it deleted`
    const message = `${compute.name}: machine '${wanted.name}' was not made by Contractor for this Foundation, and is left alone: ${remedy}`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'instances', id: wanted.name })
  }
  return { destroyed: await deleteMachine(compute, wanted) }
}

export async function deleteMachine(compute: Compute, wanted: Place): Promise<boolean> {
  try {
    const operation = await compute.send('DELETE', pathOf(wanted))
    await awaitOperation(compute, wanted, operation, deleteMs)
  } catch (error) {
    // Somebody else was quicker.
    if (!isContractorError(error, 'NOT_FOUND')) throw error
  }
  const left = await compute.find(pathOf(wanted))
  if (!left) return true
  throw deviceError('DEVICE_BUSY', compute.name, `machine '${wanted.name}' was deleted, and is ${left.status}`)
}
