import type { DescribeInstancesCommandOutput, Instance } from '@aws-sdk/client-ec2'
import { deviceError } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import { type InstanceState, lifecycle } from '../tasks.ts'
import type { Ec2 } from './ec2.ts'

/** What tells our instances from others, and one call's from another's. */
export const tags = { foundation: 'contractor.foundation', call: 'contractor.call' } as const

/** Which instance is meant: by its id, where that is known, and by its tags. */
export interface Wanted {
  name: string
  id: string | null
}

export const tagOf = ({ Tags: own = [] }: Instance, key: string): string | undefined =>
  own.find(one => one.Key === key)?.Value

/** What is terminated is shown for an hour, and is no more. */
export const isGone = ({ State: state }: Instance): boolean => state?.Name === 'terminated'

/** All that a filter lets through; they come in pages, of which one may be empty. */
export async function describeInstances(ec2: Ec2, filters: Readonly<Record<string, string>>): Promise<Instance[]> {
  const found: Instance[] = []
  for (let token: string | undefined; ; ) {
    const command = new ec2.sdk.DescribeInstancesCommand({
      MaxResults: 1000,
      Filters: Object.entries(filters).map(([Name, value]) => ({ Name, Values: [value] })),
      ...(token !== undefined && { NextToken: token }),
    })
    const page = await ec2.ask((client, options) => client.send(command, options))
    found.push(...instancesOf(ec2, page))
    token = page.NextToken || undefined
    if (token === undefined) return found
  }
}

/** Undefined where there is none: of an id that EC2 has just given, that may be so for a while. */
export async function describeInstance(ec2: Ec2, id: string): Promise<Instance | undefined> {
  const command = new ec2.sdk.DescribeInstancesCommand({ InstanceIds: [id] })
  try {
    const page = await ec2.ask((client, options) => client.send(command, options))
    return instancesOf(ec2, page)[0]
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** What is no list is no empty one: where a proxy answers with a page of its own, the SDK finds nothing in it. */
function instancesOf(ec2: Ec2, { Reservations: found }: DescribeInstancesCommandOutput): Instance[] {
  if (found) return found.flatMap(one => one.Instances ?? [])
  throw deviceError('DEVICE_ANSWER_INVALID', ec2.name, 'its answer is no list of instances')
}

/** The instances of a Foundation that are not gone: that of its id, and those that carry its tag. */
export async function findOwn(ec2: Ec2, { name, id }: Wanted): Promise<Instance[]> {
  const tagged = await describeInstances(ec2, { [`tag:${tags.foundation}`]: name })
  const known = id === null || tagged.some(one => one.InstanceId === id) ? undefined : await describeInstance(ec2, id)
  const owner = known && tagOf(known, tags.foundation)
  if (owner !== undefined && owner !== name) {
    const message = `${ec2.name}: instance ${id} is Foundation '${owner}'’s, and not '${name}'’s. Correct awsec2_instance_id`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'instance', id: id ?? '' })
  }
  return [...(known ? [known] : []), ...tagged].filter(one => !isGone(one))
}

/** The one that its functions work on; one that is on its way out gives way to one that is not. */
export async function findInstance(ec2: Ec2, wanted: Wanted): Promise<Instance | undefined> {
  const own = await findOwn(ec2, wanted)
  const stays = own.filter(one => one.State?.Name !== 'shutting-down')
  return stays.find(one => one.InstanceId === wanted.id) ?? stays[0] ?? own[0]
}

export async function getInstance(ec2: Ec2, wanted: Wanted): Promise<Instance & { InstanceId: string }> {
  const found = await findInstance(ec2, wanted)
  if (found?.InstanceId !== undefined) return { ...found, InstanceId: found.InstanceId }
  const message = `${ec2.name}: there is no instance '${wanted.name}'${wanted.id === null ? '' : ` (${wanted.id})`}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'instance', id: wanted.id ?? wanted.name })
}

export function toState(found: Instance | undefined): InstanceState {
  const state = lifecycle.safeParse(found?.State?.Name)
  const nics = [...(found?.NetworkInterfaces ?? [])].sort((one, other) => indexOf(one) - indexOf(other))
  return {
    state: state.success ? state.data : 'gone',
    id: state.success ? (found?.InstanceId ?? null) : null,
    type: found?.InstanceType ?? '',
    image_id: found?.ImageId ?? '',
    zone: found?.Placement?.AvailabilityZone ?? '',
    interfaces: nics.map(one => ({
      name: `eth${indexOf(one)}`,
      mac: one.MacAddress ?? '',
      private_ip: one.PrivateIpAddress ?? null,
      public_ip: one.Association?.PublicIp ?? null,
      subnet_id: one.SubnetId ?? null,
    })),
    call: (found && tagOf(found, tags.call)) ?? null,
  }
}

const indexOf = ({ Attachment: attachment }: { Attachment?: { DeviceIndex?: number | undefined } | undefined }) =>
  attachment?.DeviceIndex ?? 0
