import { deviceError, type PowerState } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import { z } from 'zod'
import type { VmState } from '../tasks.ts'
import type { Api } from './api.ts'

/** Proxmox gives numbers as such in some places, and as texts in others. */
const number = z.coerce.number()

const resource = z.object({
  vmid: number,
  node: z.string(),
  type: z.string(),
  /** Not there for some seconds after a machine was made. */
  name: z.string().optional(),
  status: z.string().default('unknown'),
  template: number.default(0),
})
export type Resource = z.output<typeof resource>

const config = z.looseObject({
  name: z.string().optional(),
  description: z.string().optional(),
  lock: z.string().optional(),
  cores: number.optional(),
  sockets: number.optional(),
  memory: number.optional(),
  protection: number.optional(),
})
export type VmConfig = z.output<typeof config>

/** A machine, with the config that was read of it. */
export interface Vm {
  readonly id: number
  readonly node: string
  readonly path: string
  readonly config: VmConfig
  readonly mark: Mark | undefined
}

/** What the description of a machine says: whose it is, which call has made it, and whether that goes on still. */
export interface Mark {
  readonly foundation: string
  readonly call: string
  readonly isWhole: boolean
}

export const writeMark = ({ foundation, call, isWhole }: Mark): string =>
  `Made by Contractor${isWhole ? '' : ' (not whole yet)'}\n\ncontractor.foundation=${foundation} contractor.call=${call}`

export function readMark(description = ''): Mark | undefined {
  const [, foundation, call] = /contractor\.foundation=(\S+) contractor\.call=(\S+)/.exec(description) ?? []
  if (foundation === undefined || call === undefined) return undefined
  return { foundation, call, isWhole: !description.includes('(not whole yet)') }
}

export const listVms = async (api: Api): Promise<Resource[]> =>
  (await api.get('/cluster/resources', z.array(resource), { type: 'vm' })).filter(one => one.type === 'qemu')

const pathOf = ({ node, vmid }: Pick<Resource, 'node' | 'vmid'>) => `/nodes/${node}/qemu/${vmid}`

/** Undefined where it has gone since, to another node or altogether. */
export async function readVm(api: Api, at: Pick<Resource, 'node' | 'vmid'>): Promise<Vm | undefined> {
  const path = pathOf(at)
  try {
    const read = await api.get(`${path}/config`, config)
    return { id: at.vmid, node: at.node, path, config: read, mark: readMark(read.description) }
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** How often it is looked for, where it moves to another node meanwhile. */
const looks = 3

/**
 * The machine of a Foundation. By its id, where that is known: but the id of one that is gone is given to another one, so it
 * has to carry our mark, or no mark and our name, as one that was taken in. Without id by its mark; one whose name is not
 * listed yet is looked at as well.
 */
export async function findVm(api: Api, name: string, id: number | null): Promise<Vm | undefined> {
  for (let look = 0; look < looks; look++) {
    const all = await listVms(api)
    const near = all.filter(one => (id === null ? (one.name ?? name) === name : one.vmid === id))
    let isMoved = false
    for (const one of near) {
      const vm = await readVm(api, one)
      if (!vm) isMoved = true
      else if (isOf(vm, name, id)) return vm
    }
    if (!isMoved) return undefined
  }
  return undefined
}

const isOf = ({ config: { name: own }, mark }: Vm, name: string, id: number | null): boolean =>
  mark ? mark.foundation === name : id !== null && own === name

export async function getVm(api: Api, name: string, id: number | null): Promise<Vm> {
  const found = await findVm(api, name, id)
  if (found) return found
  const other = id === null ? undefined : (await listVms(api)).find(one => one.vmid === id)
  const why = other ? `machine ${id} is '${other.name ?? 'another one'}', and not its` : 'it has none'
  throw new ContractorError('NOT_FOUND', `${api.name}: there is no machine of Foundation '${name}': ${why}`, {
    ...{ kind: 'machine', id: id ?? name },
  })
}

const current = z.object({ status: z.string(), qmpstatus: z.string().optional(), lock: z.string().optional() })

export const readStatus = (api: Api, vm: Pick<Vm, 'path'>) => api.get(`${vm.path}/status/current`, current)

export const powerOf = (status: string): PowerState =>
  status === 'running' ? 'on' : status === 'stopped' ? 'off' : 'unknown'

/** `virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1`, by the number of the adapter. */
export function adaptersOf(read: VmConfig): { key: string; model: string; mac: string; bridge: string }[] {
  return Object.entries(read)
    .filter(([key, value]) => /^net\d+$/.test(key) && typeof value === 'string')
    .sort(([one], [other]) => Number(one.slice(3)) - Number(other.slice(3)))
    .map(([key, value]) => {
      const parts = String(value).split(',')
      const [model = '', mac = ''] = (parts[0] ?? '').split('=')
      return { key, model, mac, bridge: parts.find(part => part.startsWith('bridge='))?.slice(7) ?? '' }
    })
}

export const macsOf = (vm: Pick<Vm, 'config'>): string[] => adaptersOf(vm.config).map(({ mac }) => mac)

const guestInterfaces = z.object({
  result: z.array(
    z.object({
      name: z.string(),
      'ip-addresses': z.array(z.object({ 'ip-address': z.string() })).default([]),
    }),
  ),
})

/** What the guest's agent tells; nothing where there is none, or it does not answer: that is no failure of the machine. */
async function readAddresses(api: Api, vm: Vm): Promise<Record<string, string[]>> {
  try {
    const { result } = await api.get(`${vm.path}/agent/network-get-interfaces`, guestInterfaces)
    const own = result.filter(({ name }) => name !== 'lo')
    return Object.fromEntries(own.map(one => [one.name, one['ip-addresses'].map(address => address['ip-address'])]))
  } catch (error) {
    if (isContractorError(error, 'DEVICE_UNAUTHENTICATED') || !isContractorError(error)) throw error
    return {}
  }
}

export async function readState(api: Api, name: string, id: number | null): Promise<VmState> {
  const vm = await findVm(api, name, id)
  const none = { cpu_count: null, memory_size: null, macs: [], address_map: {}, call: null, isWhole: false }
  if (!vm) return { state: 'gone', id: null, node: null, status: 'gone', lock: null, ...none }
  const { status, qmpstatus, lock = vm.config.lock ?? null } = await readStatus(api, vm)
  const power = powerOf(status)
  if (power === 'unknown')
    throw deviceError('DEVICE_ANSWER_INVALID', api.name, `machine ${vm.id} has the status '${status}'`)
  const { cores = 1, sockets = 1, memory = null } = vm.config
  return {
    ...{ state: power, id: vm.id, node: vm.node, status: qmpstatus ?? status, lock },
    ...{ cpu_count: cores * sockets, memory_size: memory, macs: macsOf(vm) },
    address_map: power === 'on' ? await readAddresses(api, vm) : {},
    call: vm.mark?.call ?? null,
    isWhole: vm.mark?.isWhole ?? true,
  }
}
