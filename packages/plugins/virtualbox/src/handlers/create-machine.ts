import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deviceError, type MachineInterface } from '@contractor/driver'
import { uuidOf } from '@contractor/driver/uuid'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { MachineSpec } from '../machine-spec.ts'
import type { tasks } from '../tasks.ts'
import { interfaceMapOf } from './interfaces.ts'
import { controller, findMachine, group, type MachineInfo } from './machine-info.ts'
import { removeMachine } from './remove-machine.ts'
import { createVBox, type VBox } from './vboxmanage.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

/** VirtualBox knows no more for one machine. */
const mostPorts = 8
/** A disk of fixed size is written whole. */
const diskMs = 1_800_000

/**
 * Makes a machine step by step. Its UUID is made of the call's id: so the repeated call finds what an attempt before has left, and
 * goes on with it. What has failed for good is removed again.
 */
export async function createMachine(wanted: Wanted, { signal }: Pick<HandlerContext, 'signal'>) {
  const { host, name, spec, interface_list: ports, callId } = wanted
  const vbox = createVBox(host, { signal })
  if (ports.length > mostPorts)
    throw deviceError('DEVICE_UNSUPPORTED', vbox.name, `'${name}' has ${ports.length} ports, and a machine has eight`)
  const id = uuidOf(callId)
  if (!(await findMachine(vbox, id))) await register(vbox, wanted, id)
  try {
    await vbox.run(['modifyvm', id, ...settingsOf(spec, ports)])
    await addDisks(vbox, id, spec)
    await attach(vbox, id, controller.drive, 'dvddrive', spec.iso ?? 'emptydrive')
    const made = (await findMachine(vbox, id)) as MachineInfo
    return { id, interface_map: interfaceMapOf(vbox, made, ports) }
  } catch (error) {
    if (isForGood(error)) await removeMachine(vbox, id).catch(() => undefined)
    throw error
  }
}

/** Whether the call cannot go on from where it is; an abort is none: it may be tried again. */
const isForGood = (error: unknown): boolean => error instanceof ContractorError && !error.retryable

async function register(vbox: VBox, { name, folder, spec }: Wanted, id: string): Promise<void> {
  const taken = await findMachine(vbox, name)
  if (taken) {
    const message = `${vbox.name}: there is a machine '${name}' already, from another call or from somebody else. Destroy or rename it`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'machine', id: name })
  }
  const where = folder === null ? [] : ['--basefolder', folder]
  try {
    const own = ['--uuid', id, '--groups', group, '--ostype', spec.virtualbox_guest_type]
    await vbox.run(['createvm', '--name', name, ...own, ...where, '--register'])
  } catch (error) {
    const file = /settings file '([^']+)' already exists/.exec(error instanceof Error ? error.message : '')?.[1]
    if (file === undefined || !isContractorError(error, 'ALREADY_EXISTS')) throw error
    await takeOver(vbox, file, id)
  }
}

/** A settings file that no machine is registered for: this call's is registered, and another's is left as it is. */
async function takeOver(vbox: VBox, file: string, id: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text.includes(`uuid="{${id}}"`)) {
    await vbox.run(['registervm', file])
    return
  }
  const message = `${vbox.name}: ${file} is of a machine that is not registered. Register it, or remove its folder`
  throw new ContractorError('ALREADY_EXISTS', message, { kind: 'machine', id: file })
}

const networkOptions = {
  hostonly: 'hostonlyadapter',
  bridged: 'bridgeadapter',
  intnet: 'intnet',
  natnetwork: 'nat-network',
} as const

function settingsOf(spec: MachineSpec, ports: readonly MachineInterface[]): string[] {
  const boot = Array.from({ length: 4 }, (_, at) => [`--boot${at + 1}`, spec.boot_order[at] ?? 'none'])
  const nics = Array.from({ length: mostPorts }, (_, at) => portSettings(spec, ports[at], at + 1))
  const size = ['--cpus', String(spec.cpu_count), '--memory', String(spec.memory_size)]
  return [...size, ...boot.flat(), ...nics.flat()]
}

function portSettings(spec: MachineSpec, port: MachineInterface | undefined, number: number): string[] {
  if (!port) return [`--nic${number}`, 'none']
  const { network, mac } = port
  const on =
    network === null
      ? [`--nic${number}`, 'null']
      : [`--nic${number}`, spec.network_type, `--${networkOptions[spec.network_type]}${number}`, network]
  const address = mac === null ? 'auto' : mac.replaceAll(':', '').toUpperCase()
  return [
    ...on,
    ...[`--nictype${number}`, spec.virtualbox_network_adapter_type],
    ...[`--macaddress${number}`, address, `--cableconnected${number}`, 'on'],
  ]
}

async function addDisks(vbox: VBox, id: string, spec: MachineSpec): Promise<void> {
  const info = (await findMachine(vbox, id)) as MachineInfo
  if (info.get('storagecontrollername0') !== controller.name) {
    const kind = ['--add', 'sata', '--controller', 'IntelAhci', '--portcount', String(controller.ports)]
    await vbox.run(['storagectl', id, '--name', controller.name, ...kind, '--bootable', 'on'])
  }
  const folder = dirname(info.get('CfgFile') ?? '')
  const disks = spec.disk_list ?? [{ name: 'sda', size: spec.disk_size }]
  for (const [port, disk] of disks.entries()) {
    if ((info.get(`${controller.name}-${port}-0`) ?? 'none') !== 'none') continue
    const file = join(folder, `${disk.name}.vdi`)
    await removeLooseDisk(vbox, file)
    const size = ['--filename', file, '--size', String(disk.size * 1024), '--format', 'VDI']
    await vbox.run(['createmedium', 'disk', ...size], { timeoutMs: diskMs })
    await attach(vbox, id, port, 'hdd', file)
  }
}

/** What an attempt before has left, in no machine. */
async function removeLooseDisk(vbox: VBox, file: string): Promise<void> {
  await vbox.run(['closemedium', 'disk', file, '--delete']).catch(error => {
    // It is not known there, or cannot be read: then only the file may be left.
    if (!isContractorError(error, 'NOT_FOUND') && !isContractorError(error, 'DEVICE_REFUSED')) throw error
  })
  await rm(file, { force: true })
}

export async function attach(vbox: VBox, id: string, port: number, type: string, medium: string): Promise<void> {
  const at = ['--storagectl', controller.name, '--port', String(port), '--device', '0']
  await vbox.run(['storageattach', id, ...at, '--type', type, '--medium', medium])
}
