import { deviceError, type PowerState } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import type { Machine } from '../connection.ts'
import type { VBox } from './vboxmanage.ts'

/** The group that a machine of ours is in from its beginning. */
export const group = '/contractor'

/** The controller that a machine's disks are at, and where its drive is: behind all disks. */
export const controller = { name: 'SATA', ports: 30, drive: 29 } as const

/** What VirtualBox knows of a machine: `showvminfo --machinereadable`. */
export type MachineInfo = ReadonlyMap<string, string>

/** Each line is a name and a value, either of them in quotes where it wants to be. */
export function parseInfo(text: string): MachineInfo {
  const lines = text.split('\n').flatMap(line => {
    const [, quoted, bare = '', value = ''] = /^(?:"([^"]*)"|([^"=]+))=(.*)$/.exec(line.trim()) ?? []
    const name = quoted ?? bare
    const inner = /^"([\s\S]*)"$/.exec(value)?.[1]
    return name ? [[name, inner === undefined ? value : inner.replaceAll('\\"', '"')] as const] : []
  })
  return new Map(lines)
}

/** By its UUID or its name. */
export async function findMachine(vbox: VBox, key: string): Promise<MachineInfo | undefined> {
  try {
    const info = parseInfo(await vbox.run(['showvminfo', key, '--machinereadable']))
    if (!info.get('UUID')) throw deviceError('DEVICE_ANSWER_INVALID', vbox.name, `what it says of '${key}' has no UUID`)
    return info
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

export const idOf = (info: MachineInfo): string => info.get('UUID') ?? ''

const isOurs = (info: MachineInfo): boolean => info.get('groups')?.split(',').includes(group) ?? false

/** The Foundation's machine: that of its UUID, else the one of its name, if that is ours. */
export async function findOwn(vbox: VBox, { id, name }: Machine): Promise<MachineInfo | undefined> {
  const known = id === null ? undefined : await findMachine(vbox, id)
  if (known) return known
  const named = await findMachine(vbox, name)
  return named && isOurs(named) ? named : undefined
}

export async function getOwn(vbox: VBox, machine: Machine): Promise<MachineInfo> {
  const found = await findOwn(vbox, machine)
  if (found) return found
  const message = `${vbox.name}: there is no machine '${machine.name}' that Contractor has made`
  throw new ContractorError('NOT_FOUND', message, { kind: 'machine', id: machine.name })
}

const off = ['poweroff', 'saved', 'aborted', 'aborted-saved', 'teleported']

export function powerOf(info: MachineInfo): PowerState {
  const state = info.get('VMState')
  if (state === undefined || state === 'inaccessible') return 'unknown'
  return off.includes(state) ? 'off' : 'on'
}

/** The MACs of its ports, in their order; those behind the first that is off are none. */
export function macsOf(info: MachineInfo): string[] {
  const macs: string[] = []
  for (let at = 1; at <= 8; at++) {
    const mac = info.get(`macaddress${at}`)
    if ((info.get(`nic${at}`) ?? 'none') === 'none' || mac === undefined) break
    macs.push((mac.match(/../g) ?? []).join(':').toLowerCase())
  }
  return macs
}
