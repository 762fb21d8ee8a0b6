import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']
type Body = Record<string, unknown>
export type Answer = [status: number, body: object | undefined, headers?: Record<string, string>]

export class AzureRefusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export interface FakeResource {
  kind: string
  name: string
  tags: Record<string, string>
  location: string
  properties: Body
  power: string
  /** How often it is not found though it is there. */
  hidden: number
}

interface Operation {
  looks: number
  /** Answers 202 until it is over, in place of a status. */
  isPlain: boolean
  failure?: { code: string; message: string } | undefined
  end(failed: boolean): void
}

export interface FakeGroup {
  readonly url: string
  readonly resources: FakeResource[]
  readonly operations: Operation[]
  readonly networks: string[]
  readonly sizes: string[]
  readonly quirks: Set<Quirk>
  /** The failures of the next changes that take time. */
  readonly failures: { code: string; message: string }[]
  looks: number
  /** What each answer of an operation says of the next look, in seconds. */
  retryAfter: string | undefined
  made: number
}

export function createGroup(url: string): FakeGroup {
  return {
    ...{ url, resources: [], operations: [], networks: ['lab-net', 'back'], sizes: ['Standard_D1_v2', 'Standard_B2s'] },
    ...{ quirks: new Set(), failures: [], looks: 2, retryAfter: undefined, made: 0 },
  }
}

export function readOperation(group: FakeGroup, id: number): Answer {
  const found = group.operations[id - 1]
  if (!found) throw new AzureRefusal(404, 'OperationNotFound', 'The operation was not found.')
  const isOver = found.looks-- <= 0
  const headers: Record<string, string> = group.retryAfter === undefined ? {} : { 'Retry-After': group.retryAfter }
  if (!isOver) return found.isPlain ? [202, undefined, placeOf(group, id)] : [200, { status: 'InProgress' }, headers]
  found.end(found.failure !== undefined)
  if (found.isPlain) return [200, undefined]
  return [200, found.failure ? { status: 'Failed', error: found.failure } : { status: 'Succeeded' }]
}

const placeOf = ({ url }: FakeGroup, id: number) => ({ Location: `${url}/operations/${id}?api-version=x` })

interface Asked {
  method: string
  path: string
  query: URLSearchParams
  body: Body | undefined
  isNew: boolean
}

const versions: Readonly<Record<string, string>> = {
  'Microsoft.Compute/virtualMachines': '2024-07-01',
  'Microsoft.Compute/disks': '2024-03-02',
  'Microsoft.Network/networkInterfaces': '2024-05-01',
}
const notFound = (path: string) =>
  new AzureRefusal(404, 'ResourceNotFound', `The Resource '${path}' under resource group 'lab' was not found.`)

export function answerGroup(group: FakeGroup, asked: Asked): Answer {
  const { method, path, query, body } = asked
  const [, kind = '', name, verb] = /^(Microsoft\.\w+\/\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
  const version = versions[kind]
  if (version === undefined)
    throw new AzureRefusal(404, 'InvalidResourceType', `The resource type '${kind}' is unknown.`)
  if (query.get('api-version') !== version)
    throw new AzureRefusal(
      400,
      'InvalidApiVersionParameter',
      `The api-version '${query.get('api-version')}' is invalid.`,
    )
  if (name === undefined) return list(group, kind, query)
  const found = group.resources.find(one => one.kind === kind && one.name === name)
  if (method === 'GET' && verb === undefined) {
    if (!found || found.hidden-- > 0) throw notFound(path)
    return [200, toResource(group, found, query.get('$expand') === 'instanceView')]
  }
  if (method === 'PUT' && body)
    return kind.endsWith('networkInterfaces') ? putNic(group, name, body) : putMachine(group, name, asked)
  if (!found) {
    if (method === 'DELETE') return [204, undefined]
    throw notFound(path)
  }
  if (method === 'PATCH' && body) {
    check(/^tags$/, body)
    Object.assign(found, { tags: body.tags })
    return begin(group, () => undefined, { isPlain: true })
  }
  if (method === 'DELETE' && verb === undefined) return remove(group, found)
  if (method === 'POST' && kind.endsWith('virtualMachines') && verb !== undefined) return change(group, found, verb)
  throw new AzureRefusal(405, 'MethodNotAllowed', 'The method is not allowed.')
}

/** Two a page. */
function list({ url, resources }: FakeGroup, kind: string, query: URLSearchParams): Answer {
  const at = Number(query.get('skip') ?? 0)
  const all = resources.filter(one => one.kind === kind)
  const next = new URLSearchParams({ 'api-version': versions[kind] ?? '', skip: String(at + 2) })
  const path = `${url}/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/lab/providers/${kind}`
  const value = all
    .slice(at, at + 2)
    .map(({ name, tags, location, properties }) => ({ name, tags, location, properties }))
  return [200, { value, ...(all.length > at + 2 && { nextLink: `${path}?${next}` }) }]
}

function begin(group: FakeGroup, end: (failed: boolean) => void, { isPlain = false, status = 202 } = {}): Answer {
  // A change that takes no failure of its own: only those of machines may fail.
  const failure = isPlain || status === 200 ? undefined : group.failures.shift()
  group.operations.push({ looks: group.looks, isPlain, failure, end })
  const id = group.operations.length
  if (isPlain) return [202, undefined, placeOf(group, id)]
  const elsewhere = group.quirks.has('goes-on-elsewhere') ? 'https://elsewhere.invalid' : group.url
  const headers = { 'Azure-AsyncOperation': `${elsewhere}/operations/${id}?api-version=x` }
  return [status, undefined, group.retryAfter === undefined ? headers : { ...headers, 'Retry-After': group.retryAfter }]
}

function check(what: RegExp, value: object): void {
  const unknown = Object.keys(value).find(name => !what.test(name))
  if (unknown !== undefined)
    throw new AzureRefusal(
      400,
      'InvalidRequestContent',
      `Could not find member '${unknown}' on object of type 'ResourceDefinition'.`,
    )
}

const newResource = (kind: string, name: string, { tags, location }: Body, properties: Body): FakeResource => ({
  ...{
    kind,
    name,
    tags: (tags ?? {}) as Record<string, string>,
    location: String(location),
    properties,
    power: '',
    hidden: 0,
  },
})

interface NicBody {
  ipConfigurations: {
    name: string
    properties: {
      subnet: { id: string }
      privateIPAllocationMethod: string
      privateIPAddress?: string
      privateIPAddressVersion: string
    }
  }[]
  networkSecurityGroup?: { id: string }
}

function putNic(group: FakeGroup, name: string, body: Body): Answer {
  check(/^(location|tags|properties)$/, body)
  const properties = body.properties as NicBody
  check(/^(ipConfigurations|networkSecurityGroup)$/, properties)
  for (const { properties: one } of properties.ipConfigurations) {
    const subnet = /\/virtualNetworks\/([^/]+)\/subnets\/([^/]+)$/.exec(one.subnet.id)
    if (!subnet || !group.networks.includes(subnet[1] ?? '') || subnet[2] !== 'default')
      throw new AzureRefusal(
        400,
        'InvalidResourceReference',
        `Resource ${one.subnet.id} referenced by resource ${name} was not found.`,
      )
    if ((one.privateIPAllocationMethod === 'Static') !== (one.privateIPAddress !== undefined))
      throw new AzureRefusal(400, 'PrivateIPAddressRequired', 'A static address is needed.')
  }
  const kind = 'Microsoft.Network/networkInterfaces'
  const before = group.resources.find(one => one.kind === kind && one.name === name)
  const made = newResource(kind, name, body, { ...properties, provisioningState: 'Succeeded' })
  if (before) Object.assign(before, made, { properties: { ...before.properties, ...made.properties } })
  else group.resources.push(made)
  return begin(group, () => undefined, { status: 200 })
}

interface MachineBody {
  hardwareProfile: { vmSize: string }
  storageProfile: { imageReference: { offer?: string; id?: string }; osDisk: { name: string; createOption: string } }
  osProfile: {
    computerName: string
    adminUsername: string
    adminPassword?: string
    linuxConfiguration?: object
    customData?: string
  }
  networkProfile: { networkInterfaces: { id: string; properties: { primary: boolean } }[] }
}

function putMachine(group: FakeGroup, name: string, { path, body = {}, isNew }: Asked): Answer {
  const kind = 'Microsoft.Compute/virtualMachines'
  const before = group.resources.find(one => one.kind === kind && one.name === name)
  if (before && isNew) throw new AzureRefusal(412, 'PreconditionFailed', `The resource '${path}' exists already.`)
  check(/^(location|tags|zones|properties)$/, body)
  const properties = body.properties as MachineBody
  check(/^(hardwareProfile|storageProfile|osProfile|networkProfile)$/, properties)
  const { storageProfile, osProfile, hardwareProfile, networkProfile } = properties
  check(/^(computerName|adminUsername|adminPassword|linuxConfiguration|customData)$/, osProfile)
  if (/[_.]/.test(osProfile.computerName))
    throw new AzureRefusal(400, 'InvalidParameter', 'Linux host name cannot contain underscores or periods.')
  if (osProfile.adminPassword === undefined && !osProfile.linuxConfiguration)
    throw new AzureRefusal(
      400,
      'InvalidParameter',
      'Authentication using either SSH or by user name and password must be enabled.',
    )
  if (!group.sizes.includes(hardwareProfile.vmSize))
    throw new AzureRefusal(
      400,
      'InvalidParameter',
      `The value ${hardwareProfile.vmSize} provided for the VM size is not valid.`,
    )
  if (storageProfile.imageReference.offer === 'nothing')
    throw new AzureRefusal(404, 'PlatformImageNotFound', 'The platform image canonical:nothing is not available.')
  const nics = networkProfile.networkInterfaces.map(({ id }) => {
    const nic = group.resources.find(one => one.kind.endsWith('networkInterfaces') && id.endsWith(`/${one.name}`))
    if (!nic) throw new AzureRefusal(404, 'NotFound', `Resource ${id} not found.`)
    return nic
  })
  const machine = newResource(kind, name, body, { ...properties, provisioningState: 'Creating' })
  machine.hidden = group.quirks.has('seen-late') ? 2 : 0
  const disk = newResource('Microsoft.Compute/disks', storageProfile.osDisk.name, { location: 'x' }, {})
  group.resources.push(machine, disk)
  return begin(
    group,
    failed => {
      machine.properties.provisioningState = failed ? 'Failed' : 'Succeeded'
      if (failed) return
      machine.power = 'running'
      for (const nic of nics) nic.properties.macAddress = `00-0D-3A-00-00-0${++group.made}`
    },
    { status: 201 },
  )
}

function remove(group: FakeGroup, found: FakeResource): Answer {
  const users = group.resources.filter(one => one.kind.endsWith('virtualMachines'))
  const isUsed = users.some(one => JSON.stringify(one.properties).includes(`${found.name}"`))
  if (isUsed && found.kind.endsWith('networkInterfaces'))
    throw new AzureRefusal(400, 'NicInUse', 'The interface is used by a machine.')
  if (isUsed && found.kind.endsWith('disks'))
    throw new AzureRefusal(409, 'OperationNotAllowed', `Disk ${found.name} is attached to a VM.`)
  const isPlain = found.kind.endsWith('disks')
  return begin(group, failed => void (failed || group.resources.splice(group.resources.indexOf(found), 1)), { isPlain })
}

const powers: Readonly<Record<string, { from: string[]; to: string }>> = {
  start: { from: ['deallocated', 'stopped', 'running'], to: 'running' },
  powerOff: { from: ['running', 'stopped'], to: 'stopped' },
  deallocate: { from: ['running', 'stopped', 'deallocated'], to: 'deallocated' },
  restart: { from: ['running'], to: 'running' },
}

function change(group: FakeGroup, found: FakeResource, verb: string): Answer {
  const known = powers[verb]
  if (!known) throw new AzureRefusal(404, 'NotFound', `There is no ${verb}.`)
  if (!known.from.includes(found.power))
    throw new AzureRefusal(409, 'OperationNotAllowed', `The machine is ${found.power}, and cannot be asked to ${verb}.`)
  const before = found.power
  found.power = 'updating'
  return begin(group, failed => void Object.assign(found, { power: failed ? before : known.to }))
}

function toResource(
  group: FakeGroup,
  { kind, name, tags, location, properties, power }: FakeResource,
  isExpanded: boolean,
) {
  const isTold = power && power !== 'updating' && !group.quirks.has('power-is-not-told')
  const statuses = [{ code: 'ProvisioningState/succeeded' }, ...(isTold ? [{ code: `PowerState/${power}` }] : [])]
  const hasNoMac = group.quirks.has('mac-comes-late') && kind.endsWith('networkInterfaces')
  const { osProfile, macAddress, ...shown } = properties as { osProfile?: object; macAddress?: string } & Body
  if (hasNoMac && macAddress !== undefined) group.quirks.delete('mac-comes-late')
  return {
    ...{ name, tags, location },
    properties: {
      ...{ ...shown, ...(osProfile && { osProfile: { ...osProfile, adminPassword: undefined } }) },
      ...(!hasNoMac && macAddress !== undefined && { macAddress }),
      ...(isExpanded && { instanceView: { statuses } }),
    },
  }
}
