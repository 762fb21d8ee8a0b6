import type { Instance } from '@aws-sdk/client-ec2'
import type { PowerAction, PowerState } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import type { Ec2 } from './ec2.ts'
import { describeInstance, findOwn, getInstance, isGone, tagOf, tags, type Wanted } from './find-instance.ts'

/** How long an instance may take to end, in milliseconds. */
const endMs = 1_200_000

/** On its way from one to the other it is neither. */
export function powerOf({ State: state }: Instance): PowerState {
  if (state?.Name === 'running') return 'on'
  return state?.Name === 'stopped' ? 'off' : 'unknown'
}

/** EC2 asks the operating system to shut down, and makes an end of it after some minutes; forced, at once. */
export async function sendPower(
  ec2: Ec2,
  { InstanceId: id }: { InstanceId: string },
  action: PowerAction,
): Promise<void> {
  const { sdk } = ec2
  await ec2.ask<unknown>((client, options) => {
    const only = { InstanceIds: [id] }
    if (action === 'on') return client.send(new sdk.StartInstancesCommand(only), options)
    if (action === 'reset') return client.send(new sdk.RebootInstancesCommand(only), options)
    return client.send(new sdk.StopInstancesCommand({ ...only, Force: action === 'off' }), options)
  })
}

export async function readPower(ec2: Ec2, wanted: Wanted): Promise<Instance & { InstanceId: string }> {
  const found = await getInstance(ec2, wanted)
  if (found.State?.Name !== 'shutting-down') return found
  const message = `${ec2.name}: instance ${found.InstanceId} is being terminated`
  throw new ContractorError('NOT_FOUND', message, { kind: 'instance', id: found.InstanceId })
}

/** Ends all that carry the Foundation's tag, or those of one call; what Contractor has not made is left alone. */
export async function destroyInstance(
  ec2: Ec2,
  { callId, ...wanted }: Wanted & { callId: string | null },
): Promise<{ destroyed: boolean }> {
  const all = await findOwn(ec2, wanted)
  const own = callId === null ? all : all.filter(one => tagOf(one, tags.call) === callId)
  const foreign = own.find(one => tagOf(one, tags.foundation) === undefined)
  if (foreign) {
    const remedy = `tag it ${tags.foundation}=${wanted.name} to have it terminated, or clear awsec2_instance_id`
    const message = `${ec2.name}: instance ${foreign.InstanceId} was not made by Contractor, and is left alone: ${remedy}`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'instance', id: foreign.InstanceId ?? '' })
  }
  const ids = own.flatMap(one => one.InstanceId ?? [])
  if (ids.length) await terminate(ec2, ids)
  return { destroyed: ids.length > 0 }
}

/** It is gone once EC2 says so: before, its addresses and volumes are still its own. */
export async function terminate(ec2: Ec2, ids: readonly string[]): Promise<void> {
  const command = new ec2.sdk.TerminateInstancesCommand({ InstanceIds: [...ids] })
  try {
    await ec2.ask((client, options) => client.send(command, options))
  } catch (error) {
    // Gone, or forgotten already.
    if (!isContractorError(error, 'NOT_FOUND')) throw error
  }
  for (const id of ids)
    await ec2.until(`Waiting for ${id} to be terminated`, endMs, async () => {
      const seen = await describeInstance(ec2, id)
      return !seen || isGone(seen) || undefined
    })
}
