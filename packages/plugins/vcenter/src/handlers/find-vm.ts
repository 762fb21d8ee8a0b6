import type { PowerState } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import type { Target, VmState } from '../tasks.ts'
import { macsOf } from './devices.ts'
import { getDatacenter } from './inventory.ts'
import { listObjects, nameOf, type Read, readObject } from './properties.ts'
import { type Ref, refOf, type Vim } from './vim.ts'
import { at, elementOf, listOf, type Node, numberOf, textOf, type XmlObject } from './xml.ts'

/** A machine, with what was read of it. */
export interface Vm {
  readonly ref: Ref
  readonly name: string
  readonly uuid: string
  readonly powerState: string
  readonly isTemplate: boolean
  readonly mark: Mark | undefined
}

/** Whose a machine is, which call has made it, and whether that has come to its end: kept in its extra configuration. */
export interface Mark {
  readonly foundation: string
  readonly call: string
  readonly isWhole: boolean
}

const keys = { foundation: 'contractor.foundation', call: 'contractor.call', isWhole: 'contractor.whole' } as const

export const markXml = (mark: Mark): XmlObject[] =>
  [
    [keys.foundation, mark.foundation],
    [keys.call, mark.call],
    [keys.isWhole, String(mark.isWhole)],
  ].map(([key, value]) => ({ key, value: { '@_xsi:type': 'xsd:string', '#text': value } }))

function readMark(extraConfig: Node | undefined): Mark | undefined {
  const all = listOf(elementOf(extraConfig).OptionValue).map(
    one => [textOf(at(one, 'key')), textOf(at(one, 'value'))] as const,
  )
  const own: Record<string, string> = Object.fromEntries(all)
  const { [keys.foundation]: foundation, [keys.call]: call, [keys.isWhole]: whole } = own
  return foundation === undefined || call === undefined ? undefined : { foundation, call, isWhole: whole === 'true' }
}

const paths = ['name', 'config.instanceUuid', 'config.template', 'config.extraConfig', 'runtime.powerState']

export async function readVm(vim: Vim, ref: Ref): Promise<Vm> {
  const values = await readObject(vim, ref, paths)
  return {
    ...{ ref, name: nameOf(values), uuid: textOf(values['config.instanceUuid']).toLowerCase() },
    ...{ powerState: textOf(values['runtime.powerState']), isTemplate: textOf(values['config.template']) === 'true' },
    mark: readMark(values['config.extraConfig']),
  }
}

/** All machines and templates of the datacenter of a name. */
export async function findNamed(vim: Vim, name: string): Promise<Read[]> {
  const { vmFolder } = await getDatacenter(vim)
  const all = await listObjects(vim, vmFolder, 'VirtualMachine', ['name'])
  return all.filter(({ values }) => nameOf(values) === name)
}

/**
 * The machine of a Foundation. By its uuid, where that is known: but a machine that was made of ours, as a copy or a restored one,
 * may have another owner's mark; one without a mark was taken in. Without uuid by its name and our mark.
 */
export async function findVm(vim: Vim, { name, uuid }: Pick<Target, 'name' | 'uuid'>): Promise<Vm | undefined> {
  if (uuid !== null) {
    const parameters = { uuid, vmSearch: true, instanceUuid: true }
    const ref = refOf((await vim.call('FindByUuid', vim.root('searchIndex'), parameters))[0])
    const found = ref && (await readVm(vim, ref))
    return found && (found.mark?.foundation ?? name) === name ? found : undefined
  }
  for (const { ref } of await findNamed(vim, name)) {
    const found = await readVm(vim, ref)
    if (found.mark?.foundation === name) return found
  }
  return undefined
}

export async function getVm(vim: Vim, target: Pick<Target, 'name' | 'uuid'>): Promise<Vm> {
  const found = await findVm(vim, target)
  if (found) return found
  const { name, uuid } = target
  const message = `${vim.name}: there is no machine of Foundation '${name}'${uuid === null ? '' : ` with the uuid ${uuid}`}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'machine', id: uuid ?? name })
}

/** One that is suspended is off: it does nothing, and is switched on. */
export const powerOf = (powerState: string): PowerState =>
  powerState === 'poweredOn' ? 'on' : powerState === 'poweredOff' || powerState === 'suspended' ? 'off' : 'unknown'

const statePaths = [
  ...['config.hardware.device', 'config.hardware.numCPU', 'config.hardware.memoryMB'],
  ...['runtime.host', 'guest.net', 'guest.ipAddress'],
]

export async function readState(vim: Vim, target: Pick<Target, 'name' | 'uuid'>): Promise<VmState> {
  const vm = await findVm(vim, target)
  const none = {
    host: null,
    cpu_count: null,
    memory_size: null,
    is_template: false,
    macs: [],
    address_list: [],
    call: null,
  }
  if (!vm) return { ...none, state: 'gone', uuid: null, status: 'gone', isWhole: false }
  const values = await readObject(vim, vm.ref, statePaths)
  const host = refOf(values['runtime.host'])
  const net = listOf(elementOf(values['guest.net']).GuestNicInfo)
  const addresses = net.flatMap(one => listOf(at(one, 'ipAddress')).map(textOf))
  const primary = textOf(values['guest.ipAddress'])
  const number = (path: string) => numberOf(values[path]) || null
  return {
    ...{ state: powerOf(vm.powerState), uuid: vm.uuid, status: vm.powerState, is_template: vm.isTemplate },
    host: host ? nameOf(await readObject(vim, host, ['name'])) : null,
    ...{ cpu_count: number('config.hardware.numCPU'), memory_size: number('config.hardware.memoryMB') },
    macs: macsOf(values['config.hardware.device']),
    address_list: addresses.length || !primary ? addresses : [primary],
    ...{ call: vm.mark?.call ?? null, isWhole: vm.mark?.isWhole ?? true },
  }
}
