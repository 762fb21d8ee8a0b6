import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']

export class GoogleRefusal extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export interface FakeMachine {
  id: string
  name: string
  zone: string
  status: string
  /** What it becomes after it was looked at so often. */
  next?: string | undefined
  looks: number
  body: Record<string, unknown>
  labels: Record<string, string>
  externals: number
}

interface Operation {
  name: string
  zone: string
  requestId: string | undefined
  /** How often it is looked at before it is done, and then. */
  looks: number
  status: 'RUNNING' | 'DONE'
  failure?: { code: string; message: string; status: number } | undefined
  end(): void
}

export interface FakeProject {
  readonly machines: FakeMachine[]
  readonly operations: Operation[]
  readonly machineTypes: string[]
  readonly images: string[]
  readonly networks: string[]
  readonly subnetworks: string[]
  readonly quirks: Set<Quirk>
  /** The failures of the next operations that are begun. */
  readonly failures: { code: string; message: string; status: number }[]
  /** What a new machine becomes. */
  becomes: string
  looks: number
  made: number
}

export const createProject = (): FakeProject => ({
  ...{ machines: [], operations: [], quirks: new Set(), failures: [], becomes: 'RUNNING', looks: 2, made: 0 },
  machineTypes: ['e2-medium', 'e2-small'],
  images: ['projects/debian-cloud/global/images/family/debian-12', 'projects/web-1234/global/images/web-7'],
  networks: ['default', 'lab'],
  subnetworks: ['lab-sub'],
})

const zones = ['europe-west3-a', 'europe-west3-b']
const link = (path: string) => `https://www.googleapis.com/compute/v1/${path}`
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function answerCompute(
  project: FakeProject,
  method: string,
  path: string,
  query: URLSearchParams,
  body: unknown,
): object {
  if (path === '/compute/v1/projects/web-1234/aggregated/instances' && method === 'GET') return list(project, query)
  const [, zone = '', kind, name, verb] =
    /^\/compute\/v1\/projects\/web-1234\/zones\/([^/]+)\/(instances|operations)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(
      path,
    ) ?? []
  if (kind === undefined) throw new GoogleRefusal(404, 'notFound', `The resource '${path}' was not found`)
  if (!zones.includes(zone)) throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'zone': '${zone}'.`)
  if (kind === 'operations' && method === 'GET' && name) return readOperation(project, zone, name)
  if (kind !== 'instances') throw new GoogleRefusal(404, 'notFound', 'not found')
  const requestId = query.get('requestId') ?? undefined
  if (requestId !== undefined && !uuid.test(requestId))
    throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'requestId': '${requestId}'.`)
  if (method === 'POST' && name === undefined) return insert(project, zone, requestId, body as Record<string, unknown>)
  const found = project.machines.find(one => one.zone === zone && one.name === name)
  if (!found)
    throw new GoogleRefusal(404, 'notFound', `The resource '${path.replace('/compute/v1/', '')}' was not found`)
  if (method === 'GET' && verb === undefined) return toResource(step(found))
  if (method === 'DELETE' && verb === undefined) {
    Object.assign(found, { status: 'STOPPING', next: undefined })
    return begin(project, zone, requestId, () => void project.machines.splice(project.machines.indexOf(found), 1))
  }
  if (method === 'POST' && verb !== undefined && body === undefined) return change(project, found, verb, requestId)
  throw new GoogleRefusal(405, 'httpMethodNotAllowed', 'Method not allowed')
}

const changes: Readonly<Record<string, { from: string[]; by: string; to: string }>> = {
  start: { from: ['TERMINATED', 'STOPPED'], by: 'STAGING', to: 'RUNNING' },
  stop: { from: ['RUNNING'], by: 'STOPPING', to: 'TERMINATED' },
  reset: { from: ['RUNNING'], by: 'RUNNING', to: 'RUNNING' },
  resume: { from: ['SUSPENDED'], by: 'STAGING', to: 'RUNNING' },
}

function change(project: FakeProject, found: FakeMachine, verb: string, requestId: string | undefined) {
  const known = changes[verb]
  if (!known) throw new GoogleRefusal(404, 'notFound', 'not found')
  const before = requestId === undefined ? undefined : project.operations.find(one => one.requestId === requestId)
  if (before) return toOperation(before)
  if (found.status === known.to && verb !== 'reset') return begin(project, found.zone, requestId, () => undefined)
  if (!known.from.includes(found.status)) {
    const isOnItsWay = ['STOPPING', 'STAGING', 'PROVISIONING'].includes(found.status)
    if (isOnItsWay) throw new GoogleRefusal(400, 'resourceNotReady', `The resource '${found.name}' is not ready`)
    throw new GoogleRefusal(
      400,
      'invalid',
      `Instance '${found.name}' is ${found.status}: it cannot be asked to ${verb}`,
    )
  }
  Object.assign(found, { status: known.by, next: known.to, looks: project.looks })
  if (verb === 'start') found.externals++
  return begin(project, found.zone, requestId, () => undefined)
}

function begin(project: FakeProject, zone: string, requestId: string | undefined, end: () => void) {
  const operation: Operation = {
    ...{ name: `operation-${project.operations.length + 1}`, zone, requestId, looks: project.looks, status: 'RUNNING' },
    ...{ failure: project.failures.shift(), end },
  }
  project.operations.push(operation)
  return toOperation(operation)
}

function readOperation(project: FakeProject, zone: string, name: string) {
  const found = project.operations.find(one => one.zone === zone && one.name === name)
  if (!found || project.quirks.has('operation-forgotten')) {
    if (found?.status === 'RUNNING') finish(found)
    throw new GoogleRefusal(
      404,
      'notFound',
      `The resource 'projects/web-1234/zones/${zone}/operations/${name}' was not found`,
    )
  }
  if (found.status === 'RUNNING' && found.looks-- <= 0) finish(found)
  return toOperation(found)
}

function finish(operation: Operation): void {
  operation.status = 'DONE'
  if (!operation.failure) operation.end()
}

function toOperation({ name, status, failure }: Operation) {
  return {
    ...{ kind: 'compute#operation', name, status, progress: status === 'DONE' ? 100 : 0 },
    ...(status === 'DONE' &&
      failure && {
        error: { errors: [{ code: failure.code, message: failure.message }] },
        ...{ httpErrorStatusCode: failure.status, httpErrorMessage: 'FAILED' },
      }),
  }
}

const label = /^[a-z][a-z0-9_-]{0,62}$/
const takes = {
  machine: /^(name|machineType|labels|disks|networkInterfaces|tags|metadata|serviceAccounts|scheduling)$/,
  disk: /^(boot|autoDelete|initializeParams)$/,
  params: /^(sourceImage|diskType|diskSizeGb|labels)$/,
  nic: /^(network|subnetwork|networkIP|accessConfigs)$/,
}

function check(what: RegExp, value: object): void {
  const unknown = Object.keys(value).find(name => !what.test(name))
  if (unknown !== undefined)
    throw new GoogleRefusal(
      400,
      'badRequest',
      `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`,
    )
}
const invalid = (field: string, value: unknown) =>
  new GoogleRefusal(400, 'invalid', `Invalid value for field 'resource.${field}': '${value}'.`)
const missing = (path: string) => new GoogleRefusal(404, 'notFound', `The resource '${path}' was not found`)

interface MachineBody {
  name: string
  machineType: string
  labels: Record<string, string>
  disks: { initializeParams: { sourceImage: string; diskSizeGb?: string } }[]
  networkInterfaces: {
    network?: string
    subnetwork?: string
    networkIP?: string
    accessConfigs?: { natIP?: string }[]
  }[]
}

function checkInsert(project: FakeProject, zone: string, body: MachineBody): void {
  check(takes.machine, body)
  const own = `projects/web-1234/zones/${zone}`
  if (!/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(body.name)) throw invalid('name', body.name)
  for (const [key, value] of Object.entries(body.labels))
    if (!label.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value)) throw invalid('labels', key)
  if (!project.machineTypes.some(one => body.machineType === `${own}/machineTypes/${one}`))
    throw missing(body.machineType)
  for (const disk of body.disks) {
    check(takes.disk, disk)
    check(takes.params, disk.initializeParams)
    const { sourceImage, diskSizeGb } = disk.initializeParams
    if (!project.images.includes(sourceImage)) throw missing(sourceImage)
    if (diskSizeGb !== undefined && typeof diskSizeGb !== 'string') throw invalid('diskSizeGb', diskSizeGb)
  }
  for (const nic of body.networkInterfaces) {
    check(takes.nic, nic)
    if (nic.network !== undefined && !project.networks.some(one => nic.network?.endsWith(`/global/networks/${one}`)))
      throw missing(nic.network)
    if (
      nic.subnetwork !== undefined &&
      !project.subnetworks.some(one => nic.subnetwork?.endsWith(`/subnetworks/${one}`))
    )
      throw missing(nic.subnetwork)
  }
}

function insert(project: FakeProject, zone: string, requestId: string | undefined, given: Record<string, unknown>) {
  const body = given as unknown as MachineBody
  const before = requestId === undefined ? undefined : project.operations.find(one => one.requestId === requestId)
  if (before) return toOperation(before)
  checkInsert(project, zone, body)
  if (project.machines.some(one => one.zone === zone && one.name === body.name))
    throw new GoogleRefusal(
      409,
      'alreadyExists',
      `The resource 'projects/web-1234/zones/${zone}/instances/${body.name}' already exists`,
    )
  const machine: FakeMachine = {
    ...{
      id: `70000000000000000${++project.made}`,
      name: body.name,
      zone,
      status: 'PROVISIONING',
      looks: project.looks,
    },
    ...{ body: given, labels: body.labels, externals: 1 },
  }
  // One that fails is seen for a while all the same.
  project.machines.push(machine)
  const willFail = project.failures.length > 0
  const answer = begin(project, zone, requestId, () => {
    Object.assign(machine, { status: 'STAGING', next: project.becomes })
  })
  const operation = project.operations.at(-1)
  if (willFail && operation && !project.quirks.has('made-is-not-running')) project.machines.pop()
  return answer
}

function step(machine: FakeMachine): FakeMachine {
  if (machine.next !== undefined && machine.looks-- <= 0)
    Object.assign(machine, { status: machine.next, next: undefined })
  return machine
}

function toResource({ id, name, zone, status, body, labels, externals }: FakeMachine) {
  const { machineType, networkInterfaces: nics } = body as unknown as MachineBody
  return {
    ...{ kind: 'compute#instance', id, name, status, labels, zone: link(`projects/web-1234/zones/${zone}`) },
    ...{ machineType: link(machineType), fingerprint: 'f=' },
    networkInterfaces: nics.map((nic, at) => ({
      ...{ name: `nic${at}`, network: link(nic.network ?? 'projects/web-1234/global/networks/default') },
      networkIP: nic.networkIP ?? `10.156.0.${at + 2}`,
      ...(nic.accessConfigs && {
        accessConfigs: nic.accessConfigs.map(config => ({
          ...{ type: 'ONE_TO_ONE_NAT', name: 'External NAT' },
          ...(status !== 'TERMINATED' && { natIP: config.natIP ?? `203.0.113.${externals}` }),
        })),
      }),
    })),
  }
}

/** One zone a page. */
function list({ machines }: FakeProject, query: URLSearchParams) {
  const at = Number(query.get('pageToken') || 0)
  const zone = zones[at] ?? ''
  const instances = machines.filter(one => one.zone === zone).map(toResource)
  const none = { warning: { code: 'NO_RESULTS_ON_PAGE', message: `There are no results for scope 'zones/${zone}'.` } }
  return {
    items: { 'zones/us-east1-b': none, [`zones/${zone}`]: instances.length ? { instances } : none },
    ...(at + 1 < zones.length && { nextPageToken: String(at + 1) }),
  }
}
