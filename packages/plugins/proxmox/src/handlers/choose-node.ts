import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import { z } from 'zod'
import type { Api } from './api.ts'

const number = z.coerce.number()
const node = z.object({
  node: z.string(),
  status: z.string(),
  maxcpu: number.default(0),
  mem: number.default(0),
  maxmem: number.default(0),
})

const storage = z.object({
  storage: z.string(),
  content: z.string().default(''),
  active: number.default(0),
  avail: number.default(0),
})

const mebibyte = 1 << 20
const gibibyte = 1 << 30

/** Those that have so much, that with the greatest part of its memory free before others. */
export async function listNodes(
  api: Api,
  { min_memory, min_cores }: { min_memory: number; min_cores: number },
): Promise<string[]> {
  const all = await api.get('/nodes', z.array(node))
  const free = (one: z.output<typeof node>) => one.maxmem - one.mem
  return all
    .filter(one => one.status === 'online' && free(one) >= min_memory * mebibyte && one.maxcpu >= min_cores)
    .sort((one, other) => free(other) / other.maxmem - free(one) / one.maxmem)
    .map(one => one.node)
}

/** Why a node cannot have a disk on a storage; undefined where it can. */
async function whyNoRoom(api: Api, at: string, name: string, diskSize: number): Promise<Error | undefined> {
  const all = await api.get(`/nodes/${at}/storage`, z.array(storage), { enabled: true })
  const found = all.find(one => one.storage === name)
  if (!found) {
    const known = all.map(one => one.storage).join(', ') || 'none'
    const message = `${api.name}: node '${at}' has no storage '${name}': it has ${known}`
    return new ContractorError('NOT_FOUND', message, { kind: 'storage', id: name })
  }
  if (!found.content.split(',').includes('images'))
    return deviceError('DEVICE_REFUSED', api.name, `storage '${name}' of node '${at}' is for no disks`)
  if (!found.active) return deviceError('DEVICE_BUSY', api.name, `storage '${name}' of node '${at}' is not active`)
  if (found.avail < diskSize * gibibyte) {
    const free = Math.floor(found.avail / gibibyte)
    const words = `storage '${name}' of node '${at}' has ${free} GiB left, and the disk is to have ${diskSize}`
    return deviceError('DEVICE_FULL', api.name, words)
  }
  return undefined
}

export interface Place {
  node: string | null
  storage: string
  memorySize: number
  /** In GiB. */
  diskSize: number
}

/** The node that is asked for, or the one with most free memory that has room; why there is none is an error. */
export async function chooseNode(
  api: Api,
  { node: wanted, storage: name, memorySize, diskSize }: Place,
): Promise<string> {
  const nodes = wanted === null ? await listNodes(api, { min_memory: memorySize, min_cores: 0 }) : [wanted]
  let why: Error | undefined
  for (const at of nodes) {
    why = await whyNoRoom(api, at, name, diskSize)
    if (!why) return at
  }
  throw (
    why ??
    deviceError('DEVICE_FULL', api.name, `none of its nodes that are online has ${memorySize} MiB of memory free`)
  )
}
