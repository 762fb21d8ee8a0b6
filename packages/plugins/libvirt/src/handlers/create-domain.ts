import { locationOf } from '@contractor/driver'
import { uuidOf } from '@contractor/driver/uuid'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { type Domain, findDomain } from './domain.ts'
import { disksOf, toXml } from './domain-xml.ts'
import { mapAt } from './interfaces.ts'
import { removeDomain } from './remove-domain.ts'
import { createVirsh, type Virsh } from './virsh.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

/** A copy of an image, and a disk that is written whole, take their time. */
const volumeMs = 1_800_000

/**
 * Makes a machine: first its description, whose UUID is made of the call's id, then the disks that it names. So the repeated call
 * finds what an attempt before has left, and goes on with it. What has failed for good is removed again.
 */
export async function createDomain(wanted: Wanted, { signal }: Pick<HandlerContext, 'signal'>) {
  const virsh = createVirsh(wanted, { signal })
  const { callId, name, spec, interface_list: ports, pool } = wanted
  const id = uuidOf(callId)
  const before = await findDomain(virsh, id)
  if (!before) {
    await refuseTaken(virsh, wanted)
    const xml = toXml({ id, name, callId, spec, ports, pool })
    await virsh.run(['define', '/dev/fd/3', '--validate'], { files: [xml] })
  }
  try {
    await addDisks(virsh, wanted)
    const made = (await findDomain(virsh, id)) as Domain
    return { id, interface_map: mapAt(virsh, made, ports.map(locationOf)) }
  } catch (error) {
    if (error instanceof ContractorError && !error.retryable) await removeDomain(virsh, id).catch(() => undefined)
    throw error
  }
}

/** What is there under the names that it is to have is not of this call, and is left as it is. */
async function refuseTaken(virsh: Virsh, wanted: Wanted): Promise<void> {
  const { name } = wanted
  const taken = (kind: string, id: string, remedy: string) => {
    const message = `${virsh.name}: there is a ${kind} '${id}' already, from another call or from somebody else. ${remedy}`
    return new ContractorError('ALREADY_EXISTS', message, { kind, id })
  }
  if (await findDomain(virsh, name)) throw taken('machine', name, 'Destroy or rename it')
  for (const { volume } of disksOf(wanted))
    if (await hasVolume(virsh, volume)) throw taken('volume', volume, `Remove it from the pool '${virsh.pool}'`)
}

async function hasVolume(virsh: Virsh, volume: string): Promise<boolean> {
  // Where the pool is missing, this says so, and not that the volume is.
  await virsh.run(['pool-info', virsh.pool])
  try {
    await virsh.run(['vol-info', volume, '--pool', virsh.pool])
    return true
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return false
    throw error
  }
}

async function addDisks(virsh: Virsh, wanted: Wanted): Promise<void> {
  for (const [at, { volume, size }] of disksOf(wanted).entries()) {
    if (await hasVolume(virsh, volume)) continue
    const { image } = wanted.spec
    if (at === 0 && image !== null) {
      await virsh.run(['vol-clone', image, volume, '--pool', virsh.pool], { timeoutMs: volumeMs })
      await virsh.run(['vol-resize', volume, `${size}GiB`, '--pool', virsh.pool])
    } else
      await virsh.run(['vol-create-as', virsh.pool, volume, `${size}GiB`, '--format', 'qcow2'], { timeoutMs: volumeMs })
  }
}
