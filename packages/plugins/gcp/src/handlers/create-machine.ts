import { deviceError } from '@contractor/driver'
import { uuidOf } from '@contractor/driver/uuid'
import { ContractorError, isContractorError, type Json } from '@contractor/plugin'
import type { z } from 'zod'
import { type tasks, toAddresses } from '../tasks.ts'
import type { Nic, VmSpec } from '../vm-spec.ts'
import type { Compute, Resource } from './compute.ts'
import { deleteMachine, isOfCall, isOwn, labelOf, labels, toState } from './machine.ts'
import { awaitOperation, operationError, pathOf } from './operation.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

const insertMs = 900_000
const runMs = 600_000
/** How many failed operations of one call may be passed over. */
const mostInserts = 8

/**
 * Makes a machine. What an attempt before has made is found by its name, of which there is one in a zone, and its labels; then
 * it is gone on with. What cannot be finished for good is deleted.
 */
export async function createMachine(
  compute: Compute,
  wanted: Wanted,
): Promise<{ id: string; addresses: Record<string, string> }> {
  const before = await findMade(compute, wanted)
  try {
    const isSeen = before !== undefined || (await insert(compute, wanted))
    const running = await awaitRunning(compute, wanted, isSeen)
    const { id, interfaces } = toState(running)
    const names = wanted.nics.map(one => one.name)
    return { id: id ?? '', addresses: toAddresses(names, interfaces) }
  } catch (error) {
    // What may pass is tried again by the next attempt, which finds this machine.
    if (!isContractorError(error) || error.retryable) throw error
    await removeFailed(compute, wanted, error)
    throw error
  }
}

/** One that could not be made may be there for a while all the same: only that of this very call is ours to delete. */
async function removeFailed(compute: Compute, wanted: Wanted, why: Error): Promise<void> {
  try {
    const left = await compute.find(pathOf(wanted))
    if (left && isOfCall(left, wanted, wanted.callId)) await deleteMachine(compute, wanted)
  } catch (error) {
    const words = `machine '${wanted.name}', which was to be deleted after this failure, may be left (${(error as Error).message}): ${why.message}`
    throw deviceError('DEVICE_REFUSED', compute.name, words, { cause: error })
  }
}

async function findMade(compute: Compute, wanted: Wanted): Promise<Resource | undefined> {
  const found = await compute.find(pathOf(wanted))
  if (!found || isOfCall(found, wanted, wanted.callId)) return found
  const { name, locator } = wanted
  const message = isOwn(found, locator)
    ? `Foundation '${locator}' has machine '${name}' already, which this call has not made. Destroy it first`
    : `machine '${name}' was not made by Contractor for this Foundation, and is left alone. Remove it, or set gce_instance_name`
  throw new ContractorError('ALREADY_EXISTS', `${compute.name}: ${message}`, { kind: 'instances', id: name })
}

/**
 * For one request id there is one operation: a repeated request is answered with it, and not done again. One that has failed
 * before, in a way that passes, is so for ever: the next id is made of it. Whether the operation was seen to its end.
 */
async function insert(compute: Compute, wanted: Wanted): Promise<boolean> {
  const { project, zone, callId } = wanted
  const body = toBody(wanted)
  for (let requestId = uuidOf(JSON.stringify([callId, body])), at = 1; ; at++) {
    let operation: Resource
    try {
      operation = await compute.send('POST', `${project}/zones/${zone}/instances?requestId=${requestId}`, body)
    } catch (error) {
      // It was made between our look and our request.
      if (isContractorError(error, 'ALREADY_EXISTS') && (await findMade(compute, wanted))) return true
      throw error
    }
    const old = operation.status === 'DONE' ? operationError(compute, operation) : undefined
    const passes = isContractorError(old) && old.retryable && at < mostInserts
    if (!passes) return awaitOperation(compute, wanted, operation, insertMs)
    requestId = uuidOf(JSON.stringify([callId, body, operation.name]))
  }
}

function awaitRunning(compute: Compute, wanted: Wanted, isSeen: boolean): Promise<Resource> {
  return compute.until(`Waiting for ${wanted.name} to run`, runMs, async () => {
    const seen = await compute.find(pathOf(wanted))
    if (seen?.status === 'RUNNING') return seen
    if (!seen && !isSeen) return undefined
    if (!seen) throw deviceError('DEVICE_REFUSED', compute.name, `machine '${wanted.name}' was made, and is gone again`)
    if (!['STOPPED', 'TERMINATED', 'SUSPENDED'].includes(String(seen.status))) return undefined
    const why = typeof seen.statusMessage === 'string' ? `: ${seen.statusMessage}` : ''
    throw deviceError(
      'DEVICE_REFUSED',
      compute.name,
      `machine '${wanted.name}' is ${seen.status} instead of running${why}`,
    )
  })
}

function toBody({ name, project, zone, spec, nics, locator, callId }: Wanted): Json {
  const own = { [labels.foundation]: labelOf(locator), [labels.call]: labelOf(callId) }
  const path = `projects/${project}/zones/${zone}`
  return {
    name,
    machineType: `${path}/machineTypes/${spec.machine_type}`,
    labels: Object.fromEntries(inOrder({ ...spec.label_map, ...own })),
    disks: [
      {
        ...{ boot: true, autoDelete: true },
        initializeParams: {
          sourceImage: imageOf(project, spec),
          diskType: `${path}/diskTypes/${spec.disk_type}`,
          labels: own,
          ...(spec.disk_size !== null && { diskSizeGb: String(spec.disk_size) }),
        },
      },
    ],
    networkInterfaces: nics.map((one, at) =>
      toInterface(project, zone, one, at === 0 ? spec.external_address : 'none'),
    ),
    ...(spec.tag_list.length && { tags: { items: spec.tag_list } }),
    metadata: { items: inOrder(spec.metadata_map).map(([key, value]) => ({ key, value })) },
    ...(spec.service_account !== null && {
      serviceAccounts: [{ email: spec.service_account, scopes: ['https://www.googleapis.com/auth/cloud-platform'] }],
    }),
    ...(spec.spot && { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'STOP' } }),
  }
}

/** A database gives maps back in another order, and the same call is to ask for the same. */
const inOrder = (map: Readonly<Record<string, string>>) =>
  Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1))

function toInterface(project: string, zone: string, one: Nic, external: VmSpec['external_address']): Json {
  const region = zone.replace(/-[a-z]$/, '')
  const network = one.network ?? (one.subnetwork === null ? 'default' : null)
  return {
    ...(network !== null && { network: resourceOf(project, network, 'global/networks') }),
    ...(one.subnetwork !== null && {
      subnetwork: resourceOf(project, one.subnetwork, `regions/${region}/subnetworks`),
    }),
    ...(one.address !== null && { networkIP: one.address }),
    ...(external !== 'none' && {
      accessConfigs: [
        { ...{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }, ...(external !== 'ephemeral' && { natIP: external }) },
      ],
    }),
  }
}

const imageOf = (project: string, { image, image_family: family }: VmSpec): string =>
  image !== null
    ? resourceOf(project, image, 'global/images')
    : resourceOf(project, family ?? '', 'global/images/family')

/** `NAME` of our own project, `PROJECT/NAME`, or a whole path as it is. */
function resourceOf(project: string, given: string, collection: string): string {
  const parts = given.split('/')
  if (parts.length === 1) return `projects/${project}/${collection}/${given}`
  return parts.length === 2 ? `projects/${parts[0]}/${collection}/${parts[1]}` : given
}
