import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [name: string]: Xml }

export class Ec2Refusal extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

export interface FakeInstance {
  id: string
  state: 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'
  /** How often it is looked at before it comes to its next state, is found by its id, and by its tags. */
  looks: number
  hidden: number
  untagged: number
  reason?: { code: string; message: string }
  image: string
  type: string
  token: string
  /** The request that has made it, without its token. */
  asked: string
  params: Params
  tags: Record<string, string>
  mac: string
  publicIp?: string
  /** How often it is looked at before its elastic address is seen. */
  addressLooks: number
}

export interface FakeAccount {
  readonly instances: FakeInstance[]
  /** By allocation: the address, and the instance that has it. */
  readonly addresses: Record<string, { ip: string; instance?: string }>
  readonly images: string[]
  readonly types: string[]
  readonly subnets: string[]
  readonly templates: { id: string; name: string }[]
  readonly quirks: Set<Quirk>
  /** What an instance ends with instead of running. */
  ends?: { code: string; message: string }
  made: number
  /** How often what is on its way is looked at before it is there. */
  looks: number
}

export const createAccount = (): FakeAccount => ({
  instances: [],
  addresses: { 'eipalloc-0123456789abcdef0': { ip: '198.51.100.7' } },
  images: ['ami-0123456789abcdef0'],
  types: ['t3.micro', 'm7i.large'],
  subnets: ['subnet-0123456789abcdef0'],
  templates: [{ id: 'lt-0123456789abcdef0', name: 'web' }],
  quirks: new Set(),
  made: 0,
  looks: 2,
})

type Params = Readonly<Record<string, string>>
interface Action {
  /** The names of its parameters. */
  takes: RegExp
  does(account: FakeAccount, params: Params): { [name: string]: Xml }
}

const tag = 'TagSpecification\\.\\d+\\.(ResourceType|Tag\\.\\d+\\.(Key|Value))'
const disk = 'BlockDeviceMapping\\.\\d+\\.(DeviceName|Ebs\\.(VolumeSize|VolumeType|Iops|Encrypted|DeleteOnTermination))'
const nic =
  'NetworkInterface\\.\\d+\\.(DeviceIndex|SubnetId|SecurityGroupId\\.\\d+|AssociatePublicIpAddress|DeleteOnTermination)'
const runs = [
  ...[
    'ImageId',
    'InstanceType',
    'MinCount',
    'MaxCount',
    'ClientToken',
    'SubnetId',
    'SecurityGroupId\\.\\d+',
    'KeyName',
  ],
  ...['UserData', 'IamInstanceProfile\\.(Name|Arn)', 'LaunchTemplate\\.(LaunchTemplateId|LaunchTemplateName|Version)'],
  ...[tag, disk, nic],
]

export const actions: Readonly<Record<string, Action>> = {
  RunInstances: { takes: new RegExp(`^(${runs.join('|')})$`), does: run },
  DescribeInstances: {
    takes: /^(InstanceId\.\d+|Filter\.\d+\.(Name|Value\.\d+)|MaxResults|NextToken)$/,
    does: describe,
  },
  TerminateInstances: {
    takes: /^InstanceId\.\d+$/,
    does: (account, params) => change(account, params, () => 'shutting-down'),
  },
  StartInstances: {
    takes: /^InstanceId\.\d+$/,
    does: (account, params) =>
      change(account, params, one => {
        if (one.state === 'running' || one.state === 'pending') return one.state
        if (one.state !== 'stopped') throw badState(one, 'started')
        return 'pending'
      }),
  },
  StopInstances: {
    takes: /^(InstanceId\.\d+|Force)$/,
    does: (account, params) =>
      change(account, params, one => {
        if (one.state === 'stopped' || one.state === 'stopping') return one.state
        if (one.state !== 'running') throw badState(one, 'stopped')
        return 'stopping'
      }),
  },
  RebootInstances: {
    takes: /^InstanceId\.\d+$/,
    does(account, params) {
      for (const one of named(account, params)) if (one.state !== 'running') throw badState(one, 'rebooted')
      return { return: true }
    },
  },
  DescribeAddresses: {
    takes: /^AllocationId\.\d+$/,
    does: (account, params) => ({
      addressesSet: listOf(params, 'AllocationId').map(id => {
        const { ip, instance } = addressOf(account, id)
        return { allocationId: id, publicIp: ip, domain: 'vpc', instanceId: instance }
      }),
    }),
  },
  AssociateAddress: {
    takes: /^(AllocationId|InstanceId|AllowReassociation)$/,
    does(account, { AllocationId = '', InstanceId = '', AllowReassociation }) {
      const address = addressOf(account, AllocationId)
      const [one] = named(account, { 'InstanceId.1': InstanceId })
      if (one?.state !== 'running' && one?.state !== 'stopped') throw badState(one, 'associated')
      if (address.instance !== undefined && AllowReassociation === 'false')
        throw new Ec2Refusal('Resource.AlreadyAssociated', `resource ${AllocationId} is already associated`)
      Object.assign(address, { instance: InstanceId })
      Object.assign(one, { publicIp: address.ip, addressLooks: account.quirks.has('address-later') ? 2 : 0 })
      return { return: true, associationId: 'eipassoc-1' }
    },
  },
}

const listOf = (params: Params, name: string): string[] =>
  Object.entries(params).flatMap(([key, value]) => (new RegExp(`^${name}\\.\\d+$`).test(key) ? [value] : []))

const badState = (one: FakeInstance | undefined, verb: string) =>
  new Ec2Refusal('IncorrectInstanceState', `The instance '${one?.id}' is not in a state from which it can be ${verb}.`)

function addressOf({ addresses }: FakeAccount, id: string) {
  const found = Object.hasOwn(addresses, id) ? addresses[id] : undefined
  if (found) return found
  throw new Ec2Refusal('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`)
}

function named({ instances }: FakeAccount, params: Params): FakeInstance[] {
  return listOf(params, 'InstanceId').map(id => {
    const found = instances.find(one => one.id === id)
    if (found) return found
    throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`)
  })
}

function change(account: FakeAccount, params: Params, next: (one: FakeInstance) => FakeInstance['state']) {
  const changed = named(account, params).map(one => {
    const before = one.state
    if (one.state !== 'terminated') Object.assign(one, { state: next(one), looks: account.looks })
    return { instanceId: one.id, currentState: { name: one.state }, previousState: { name: before } }
  })
  return { instancesSet: changed }
}

function run(account: FakeAccount, params: Params) {
  const { ClientToken: token = '', ...rest } = params
  const asked = JSON.stringify(Object.entries(rest).sort())
  const known = account.instances.find(one => token !== '' && one.token === token)
  if (known && known.asked !== asked)
    throw new Ec2Refusal(
      'IdempotentParameterMismatch',
      `Arguments on this idempotent request are inconsistent with arguments used in previous request(s).`,
    )
  if (known) return { reservationId: 'r-0', instancesSet: [toXml(account, known)] }
  checkRun(account, params)
  const at = ++account.made
  const hex = at.toString(16).padStart(17, '0')
  const isPublic = params['NetworkInterface.1.AssociatePublicIpAddress'] ?? 'true'
  const made: FakeInstance = {
    ...{ id: `i-${hex}`, state: 'pending', looks: account.looks, token, asked, params, addressLooks: 0 },
    hidden: account.quirks.has('not-found-after-create') ? 2 : 0,
    untagged: account.quirks.has('tags-not-seen-yet') ? 5 : 0,
    image: params.ImageId ?? 'ami-0123456789abcdef0',
    type: params.InstanceType ?? 't3.micro',
    tags: tagsOf(params, 'instance'),
    mac: `0a:00:00:00:00:${at.toString(16).padStart(2, '0')}`,
    ...(account.ends && { reason: account.ends }),
    ...(isPublic === 'true' && { publicIp: `203.0.113.${at}` }),
  }
  account.instances.push(made)
  return { reservationId: 'r-0', instancesSet: [toXml(account, made)] }
}

function checkRun({ images, types, subnets, templates }: FakeAccount, params: Params): void {
  const { ImageId: image, InstanceType: type, UserData: data = '', MinCount, MaxCount } = params
  const template = params['LaunchTemplate.LaunchTemplateId'] ?? params['LaunchTemplate.LaunchTemplateName']
  if (MinCount !== '1' || MaxCount !== '1') throw new Ec2Refusal('MissingParameter', 'MinCount and MaxCount')
  if (template === undefined && (image === undefined || type === undefined))
    throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter ImageId')
  if (template !== undefined && !templates.some(one => one.id === template || one.name === template))
    throw new Ec2Refusal(
      'InvalidLaunchTemplateName.NotFoundException',
      `The launch template ${template} does not exist`,
    )
  if (image !== undefined && !/^ami-[0-9a-f]{8,17}$/.test(image))
    throw new Ec2Refusal('InvalidAMIID.Malformed', `Invalid id: "${image}" (expecting "ami-...")`)
  if (image !== undefined && !images.includes(image))
    throw new Ec2Refusal('InvalidAMIID.NotFound', `The image id '[${image}]' does not exist`)
  if (type !== undefined && !types.includes(type))
    throw new Ec2Refusal('InvalidParameterValue', `Invalid value '${type}' for InstanceType.`)
  const subnet = params.SubnetId ?? params['NetworkInterface.1.SubnetId']
  if (subnet !== undefined && !subnets.includes(subnet))
    throw new Ec2Refusal('InvalidSubnetID.NotFound', `The subnet ID '${subnet}' does not exist`)
  if (params['NetworkInterface.1.DeviceIndex'] !== undefined && (params.SubnetId ?? params['SecurityGroupId.1']))
    throw new Ec2Refusal('InvalidParameterCombination', 'Network interfaces and an instance-level subnet ID')
  if (Buffer.from(data, 'base64').toString('base64') !== data)
    throw new Ec2Refusal('InvalidParameterValue', 'Invalid BASE64 encoding of user data.')
}

function tagsOf(params: Params, type: string): Record<string, string> {
  const [, at] =
    Object.entries(params)
      .map(([key, value]) => (value === type ? /^TagSpecification\.(\d+)\.ResourceType$/.exec(key) : null))
      .find(Boolean) ?? []
  const keys = Object.keys(params).filter(key => key.startsWith(`TagSpecification.${at}.`) && key.endsWith('.Key'))
  return Object.fromEntries(keys.map(key => [params[key] ?? '', params[key.replace(/Key$/, 'Value')] ?? '']))
}

/** Of a resource that an instance was made with. */
export const tagsOfPart = ({ params }: FakeInstance, type: 'volume' | 'network-interface') => tagsOf(params, type)

function describe(account: FakeAccount, params: Params) {
  const ids = listOf(params, 'InstanceId')
  if (ids.length && params.MaxResults !== undefined)
    throw new Ec2Refusal('InvalidParameterCombination', 'The parameter instancesSet cannot be used with maxResults')
  for (const one of ids.length ? named(account, params) : [])
    if (one.hidden-- > 0)
      throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${one.id}' does not exist`)
  const filters = Object.keys(params)
    .filter(key => key.endsWith('.Name'))
    .map(key => [params[key] ?? '', listOf(params, key.replace('.Name', '.Value'))] as const)
  const found = account.instances.filter(one => {
    if (ids.length) return ids.includes(one.id)
    if (filters.length && one.untagged-- > 0) return false
    return filters.every(([name, values]) => values.includes(one.tags[name.replace(/^tag:/, '')] ?? ''))
  })
  // The last page has what the first one had not.
  const isFirst = account.quirks.has('empty-pages') && !ids.length && params.NextToken === undefined
  if (isFirst) return { reservationSet: [], nextToken: 'more' }
  for (const one of found) step(one)
  return { reservationSet: found.map(one => ({ reservationId: 'r-0', instancesSet: [toXml(account, one)] })) }
}

const next = { pending: 'running', stopping: 'stopped', 'shutting-down': 'terminated' } as const

function step(one: FakeInstance): void {
  if (!(one.state in next) || one.looks-- > 0) return
  one.state = one.state === 'pending' && one.reason ? 'terminated' : next[one.state as keyof typeof next]
  if (one.state === 'terminated') delete one.publicIp
}

function toXml({ addresses }: FakeAccount, one: FakeInstance): Xml {
  const isGone = one.state === 'terminated'
  const elastic = Object.values(addresses).find(({ instance }) => instance === one.id)
  if (isGone && elastic) delete elastic.instance
  const isSeen = !elastic || one.addressLooks-- <= 0
  const association = one.publicIp !== undefined && isSeen ? { publicIp: one.publicIp } : undefined
  return {
    ...{ instanceId: one.id, imageId: one.image, instanceType: one.type },
    instanceState: { name: one.state },
    placement: { availabilityZone: 'eu-central-1a' },
    ...(isGone && one.reason && { stateReason: { code: one.reason.code, message: one.reason.message } }),
    tagSet: Object.entries(one.tags).map(([key, value]) => ({ key, value })),
    networkInterfaceSet: isGone
      ? []
      : [
          {
            ...{ macAddress: one.mac, privateIpAddress: '10.0.0.9', subnetId: 'subnet-0123456789abcdef0' },
            ...{ attachment: { deviceIndex: 0 }, association },
          },
        ],
  }
}
