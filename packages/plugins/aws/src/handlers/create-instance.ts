import { createHash } from 'node:crypto'
import type { Instance, RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { deviceError } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { InstanceSpec } from '../instance-spec.ts'
import { type Made, type tasks, toMade } from '../tasks.ts'
import { terminate } from './change-instance.ts'
import type { Ec2 } from './ec2.ts'
import { endError } from './ec2-error.ts'
import { describeInstance, describeInstances, findOwn, tagOf, tags, toState } from './find-instance.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

/** How long an instance may take to run, and an address to be seen, in milliseconds. */
const runMs = 600_000
const addressMs = 120_000

/**
 * Makes an instance. What an attempt before has made is found by its tags, or, where EC2 does not show it yet, by the client
 * token, for which it gives the same one again; then it is gone on with. What cannot be finished for good is terminated.
 */
export async function createInstance(ec2: Ec2, wanted: Wanted): Promise<Made> {
  const before = await findMade(ec2, wanted)
  await checkAddress(ec2, wanted, before)
  const id = before?.InstanceId ?? (await runInstance(ec2, wanted))
  try {
    const running = await awaitRunning(ec2, id)
    const seen = wanted.spec.elastic_ip === null ? running : await giveAddress(ec2, id, wanted.spec.elastic_ip)
    return toMade(id, toState(seen).interfaces)
  } catch (error) {
    // What may pass is tried again by the next attempt, which finds this instance.
    if (!isContractorError(error) || error.retryable) throw error
    await terminate(ec2, [id]).catch(left => {
      ec2.throwIfAborted()
      const words = `${left instanceof Error ? left.message : left}: instance ${id}, which was to be ended after this failure, is left: ${error.message}`
      throw deviceError('DEVICE_REFUSED', ec2.name, words, { cause: error })
    })
    throw error
  }
}

async function findMade(ec2: Ec2, { name, id, callId }: Wanted): Promise<Instance | undefined> {
  // One that is on its way out stands in nobody's way.
  const own = (await findOwn(ec2, { name, id })).filter(one => one.State?.Name !== 'shutting-down')
  const made = own.find(one => tagOf(one, tags.call) === callId)
  if (made) return made
  const [other] = own
  if (other) {
    const message = `${ec2.name}: Foundation '${name}' has instance ${other.InstanceId} already, which this call has not made. Destroy it first`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'instance', id: name })
  }
  const [foreign] = (await describeInstances(ec2, { 'tag:Name': name })).filter(
    one => !['terminated', 'shutting-down'].includes(one.State?.Name ?? ''),
  )
  if (foreign) {
    const message = `${ec2.name}: instance ${foreign.InstanceId} is named '${name}', was not made by Contractor for this Foundation, and is left alone. Remove or rename it`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'instance', id: name })
  }
  return undefined
}

async function runInstance(ec2: Ec2, wanted: Wanted): Promise<string> {
  const command = new ec2.sdk.RunInstancesCommand(toInput(wanted))
  const { Instances: [made] = [] } = await ec2.ask((client, options) => client.send(command, options))
  if (made?.InstanceId !== undefined) return made.InstanceId
  throw deviceError('DEVICE_ANSWER_INVALID', ec2.name, 'it has made an instance, and does not say which')
}

function awaitRunning(ec2: Ec2, id: string): Promise<Instance> {
  return ec2.until(`Waiting for ${id} to run`, runMs, async () => {
    const seen = await describeInstance(ec2, id)
    const state = seen?.State?.Name
    if (state === 'running') return seen
    if (state !== 'terminated' && state !== 'shutting-down') return undefined
    const { Code: code = 'Client.Terminated', Message: why = 'it does not say why' } = seen?.StateReason ?? {}
    throw endError(ec2.name, code, `instance ${id} has ended instead of running: ${why}`)
  })
}

/** Before anything is made: an address that is another's is not taken from it. */
async function checkAddress(ec2: Ec2, { spec: { elastic_ip } }: Wanted, before: Instance | undefined): Promise<void> {
  if (elastic_ip === null) return
  const { InstanceId: holder, PublicIp: ip } = await readAddress(ec2, elastic_ip)
  if (holder === undefined || holder === '' || holder === before?.InstanceId) return
  const words = `address ${ip} (${elastic_ip}) is instance ${holder}’s: it is left there. Free it, or name another one`
  throw deviceError('DEVICE_REFUSED', ec2.name, words)
}

async function readAddress(ec2: Ec2, allocation: string) {
  const command = new ec2.sdk.DescribeAddressesCommand({ AllocationIds: [allocation] })
  const { Addresses: [found] = [] } = await ec2.ask((client, options) => client.send(command, options))
  if (found) return found
  const message = `${ec2.name}: there is no address ${allocation}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'elastic IP', id: allocation })
}

async function giveAddress(ec2: Ec2, id: string, allocation: string): Promise<Instance> {
  const { InstanceId: holder, PublicIp: ip } = await readAddress(ec2, allocation)
  if (holder !== id) {
    const command = new ec2.sdk.AssociateAddressCommand({
      ...{ AllocationId: allocation, InstanceId: id, AllowReassociation: false },
    })
    await ec2.ask((client, options) => client.send(command, options))
  }
  return ec2.until(`Waiting for ${id} to have ${ip}`, addressMs, async () => {
    const seen = await describeInstance(ec2, id)
    return toState(seen).interfaces.some(one => one.public_ip === ip) ? seen : undefined
  })
}

function toInput({ name, spec, callId }: Wanted): RunInstancesCommandInput {
  const own = { ...spec.tag_map, Name: name, [tags.foundation]: name, [tags.call]: callId }
  // In an order of their own: a database gives maps back in another one, and the same call is to ask for the same.
  const list = Object.entries(own)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }))
  const input: RunInstancesCommandInput = {
    ...{ MinCount: 1, MaxCount: 1 },
    ...(spec.image_id !== null && { ImageId: spec.image_id }),
    ...(spec.type !== null && { InstanceType: spec.type as NonNullable<RunInstancesCommandInput['InstanceType']> }),
    ...(spec.launch_template !== null && { LaunchTemplate: toTemplate(spec.launch_template, spec) }),
    ...toNetwork(spec),
    ...(spec.key_name !== null && { KeyName: spec.key_name }),
    ...(spec.user_data !== null && { UserData: Buffer.from(spec.user_data).toString('base64') }),
    ...(spec.iam_profile !== null && {
      IamInstanceProfile: spec.iam_profile.startsWith('arn:') ? { Arn: spec.iam_profile } : { Name: spec.iam_profile },
    }),
    ...(spec.volume_list.length && {
      BlockDeviceMappings: spec.volume_list.map(one => ({
        DeviceName: one.device,
        Ebs: {
          ...{ VolumeType: one.type, DeleteOnTermination: one.delete_on_termination },
          ...(one.size !== null && { VolumeSize: one.size }),
          ...(one.iops !== null && { Iops: one.iops }),
          ...(one.encrypted !== null && { Encrypted: one.encrypted }),
        },
      })),
    }),
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map(ResourceType => ({
      ...{ ResourceType, Tags: list },
    })),
  }
  return { ...input, ClientToken: tokenOf(input, callId) }
}

const toTemplate = (template: string, { launch_template_version: version }: InstanceSpec) => ({
  ...(/^lt-[0-9a-f]+$/.test(template) ? { LaunchTemplateId: template } : { LaunchTemplateName: template }),
  ...(version !== null && { Version: version }),
})

/** Whether it has a public address is said of an interface, and then subnet and groups are too. */
function toNetwork({
  subnet_id,
  security_group_list: groups,
  public_ip,
}: InstanceSpec): Partial<RunInstancesCommandInput> {
  const subnet = subnet_id !== null && { SubnetId: subnet_id }
  if (public_ip === null) return { ...subnet, ...(groups.length && { SecurityGroupIds: groups }) }
  const nic = { DeviceIndex: 0, AssociatePublicIpAddress: public_ip, DeleteOnTermination: true }
  return { NetworkInterfaces: [{ ...nic, ...subnet, ...(groups.length && { Groups: groups }) }] }
}

/** EC2 refuses a token that it knows with other parameters: so whatever may differ is in it. 64 characters, the most that it takes. */
const tokenOf = (input: RunInstancesCommandInput, callId: string): string =>
  createHash('sha256')
    .update(JSON.stringify([callId, input]))
    .digest('hex')
