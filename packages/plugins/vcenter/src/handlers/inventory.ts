import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import { listObjects, nameOf, type Read, readObject, readObjects, refsOf } from './properties.ts'
import { type Ref, refOf, type Vim } from './vim.ts'
import { numberOf, textOf } from './xml.ts'

export interface Datacenter {
  readonly ref: Ref
  readonly vmFolder: Ref
  readonly hostFolder: Ref
}

export interface Cluster {
  readonly name: string
  readonly pool: Ref
  readonly hosts: readonly Ref[]
}

/** The one of a name; what there is else is in the message. */
function pick(vim: Vim, kind: string, name: string, all: readonly Read[]): Read {
  const found = all.find(({ values }) => nameOf(values) === name)
  if (found) return found
  const known = all.map(({ values }) => nameOf(values)).join(', ') || 'none'
  throw new ContractorError('NOT_FOUND', `${vim.name}: there is no ${kind} '${name}': it has ${known}`, {
    kind,
    id: name,
  })
}

function needed(vim: Vim, { values }: Read, property: string): Ref {
  const found = refOf(values[property])
  if (found) return found
  throw deviceError('DEVICE_REFUSED', vim.name, `its user may not see the ${property} of '${nameOf(values)}'`)
}

export async function getDatacenter(vim: Vim): Promise<Datacenter> {
  const all = await listObjects(vim, vim.root('rootFolder'), 'Datacenter', ['name', 'vmFolder', 'hostFolder'])
  const found = pick(vim, 'datacenter', vim.connection.datacenter, all)
  return { ref: found.ref, vmFolder: needed(vim, found, 'vmFolder'), hostFolder: needed(vim, found, 'hostFolder') }
}

/** A host that is in no cluster is one by itself, of its own name. */
export async function getCluster(vim: Vim, { hostFolder }: Datacenter): Promise<Cluster> {
  const all = await listObjects(vim, hostFolder, 'ComputeResource', ['name', 'resourcePool', 'host'])
  const found = pick(vim, 'cluster', vim.connection.cluster, all)
  return { name: nameOf(found.values), pool: needed(vim, found, 'resourcePool'), hosts: refsOf(found.values.host) }
}

export async function getHost(vim: Vim, name: string): Promise<Ref> {
  const cluster = await getCluster(vim, await getDatacenter(vim))
  return pick(vim, 'host', name, await readObjects(vim, cluster.hosts, ['name'])).ref
}

/** What a host has of a kind: `datastore` or `network`. */
export async function ofHost(vim: Vim, host: Ref, kind: 'datastore' | 'network', paths: readonly string[]) {
  const { [kind]: found } = await readObject(vim, host, [kind])
  const refs = refsOf(found)
  // Networks are of several types, each with its own properties.
  const types = [...new Set(refs.map(one => one.type))]
  const read = types.map(type =>
    readObjects(
      vim,
      refs.filter(one => one.type === type),
      paths,
    ),
  )
  return (await Promise.all(read)).flat()
}

export async function getDatastore(vim: Vim, host: Ref, name: string): Promise<Ref> {
  return pick(vim, 'datastore of that host', name, await ofHost(vim, host, 'datastore', ['name'])).ref
}

/** A network that adapters are plugged into, and how they name it. */
export type Network = { readonly ref: Ref; readonly name: string; readonly port?: { key: string; switchUuid: string } }

/** Port groups of a distributed switch are named by their key and their switch's uuid, others by their name. */
export async function getNetworks(vim: Vim, host: Ref, names: readonly string[]): Promise<Map<string, Network>> {
  if (!names.length) return new Map()
  const all = await ofHost(vim, host, 'network', ['name'])
  const found = new Map<string, Network>()
  for (const name of new Set(names)) {
    const { ref } = pick(vim, 'network of that host', name, all)
    found.set(name, ref.type === 'DistributedVirtualPortgroup' ? await ofSwitch(vim, ref, name) : { ref, name })
  }
  return found
}

async function ofSwitch(vim: Vim, ref: Ref, name: string): Promise<Network> {
  const own = await readObject(vim, ref, ['key', 'config.distributedVirtualSwitch'])
  const dvs = refOf(own['config.distributedVirtualSwitch'])
  if (!dvs) throw deviceError('DEVICE_REFUSED', vim.name, `its user may not see the switch of network '${name}'`)
  const { uuid } = await readObject(vim, dvs, ['uuid'])
  return { ref, name, port: { key: textOf(own.key), switchUuid: textOf(uuid) } }
}

const hostPaths = [
  ...['name', 'runtime.connectionState', 'runtime.inMaintenanceMode'],
  ...['summary.hardware.memorySize', 'summary.hardware.numCpuCores', 'summary.hardware.cpuMhz'],
  ...['summary.quickStats.overallMemoryUsage', 'summary.quickStats.overallCpuUsage'],
]
const mebibyte = 1 << 20

export interface HostNeed {
  min_memory: number
  min_cpu: number
  cpu_scaler: number
  memory_scaler: number
}

/** The hosts that have so much, that with the greatest free part first, by the weights of memory and processors. */
export async function listHosts(vim: Vim, need: HostNeed): Promise<string[]> {
  const cluster = await getCluster(vim, await getDatacenter(vim))
  const all = (await readObjects(vim, cluster.hosts, hostPaths)).map(({ values }) => {
    const number = (path: string) => numberOf(values[path]) || 0
    const memory = number('summary.hardware.memorySize') / mebibyte
    const cores = number('summary.hardware.numCpuCores')
    const freeMemory = memory - number('summary.quickStats.overallMemoryUsage')
    const speed = cores * number('summary.hardware.cpuMhz')
    const freeSpeed = speed - number('summary.quickStats.overallCpuUsage')
    const isUp =
      textOf(values['runtime.connectionState']) === 'connected' &&
      textOf(values['runtime.inMaintenanceMode']) !== 'true'
    const score = need.memory_scaler * (freeMemory / memory) + need.cpu_scaler * (freeSpeed / speed)
    return { name: nameOf(values), cores, freeMemory, isUp, score }
  })
  return all
    .filter(one => one.isUp && one.freeMemory >= need.min_memory && one.cores >= need.min_cpu)
    .sort((one, other) => other.score - one.score)
    .map(one => one.name)
}

/** At the beginning of a name only. */
function nameTest(vim: Vim, regex: string | null): (name: string) => boolean {
  if (!regex) return () => true
  try {
    const test = new RegExp(`^(?:${regex})`)
    return name => test.test(name)
  } catch (error) {
    throw deviceError('DEVICE_REFUSED', vim.name, `'${regex}' is no regular expression`, { cause: error })
  }
}

const gibibyte = 1 << 30

export async function listDatastores(
  vim: Vim,
  host: Ref,
  minFreeSpace: number,
  regex: string | null,
): Promise<string[]> {
  const isNamed = nameTest(vim, regex)
  const paths = ['name', 'summary.accessible', 'summary.freeSpace', 'summary.maintenanceMode']
  const all = (await ofHost(vim, host, 'datastore', paths)).map(({ values }) => ({
    name: nameOf(values),
    free: (numberOf(values['summary.freeSpace']) || 0) / gibibyte,
    isUp:
      textOf(values['summary.accessible']) === 'true' &&
      ['', 'normal'].includes(textOf(values['summary.maintenanceMode'])),
  }))
  return all
    .filter(one => one.isUp && one.free >= minFreeSpace && isNamed(one.name))
    .sort((one, other) => other.free - one.free)
    .map(one => one.name)
}

export async function listNetworks(vim: Vim, host: Ref, regex: string | null): Promise<string[]> {
  const isNamed = nameTest(vim, regex)
  const all = await ofHost(vim, host, 'network', ['name'])
  return all
    .map(({ values }) => nameOf(values))
    .filter(isNamed)
    .sort()
}
