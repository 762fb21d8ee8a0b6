import { deviceError, locationOf } from '@contractor/driver'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import { z } from 'zod'
import type { Made, Wanted } from '../tasks.ts'
import { type Api, withApi } from './api.ts'
import { chooseNode } from './choose-node.ts'
import { findVm, getVm, listVms, macsOf, readVm, type Vm, writeMark } from './find-vm.ts'
import { removeVm } from './remove-vm.ts'
import { awaitMaking, awaitTask } from './task.ts'
import { toChanges, toShell } from './vm-options.ts'

/**
 * Makes a machine, in two steps. While Proxmox makes one, it says nothing of itself: so the first step is small (a machine without
 * disks, or a clone), and gives it a mark in its description, which names the Foundation and the call; the second does what is
 * slow and sets up the rest, and then the mark says that the machine is whole.
 *
 * What an attempt before has left is found by that mark: what is whole is the answer, what is not is gone on with. Where the first
 * step may be under way still, it is waited for. One of somebody else is left alone.
 */
export function createVm(wanted: Wanted, context: HandlerContext): Promise<Made> {
  return withApi(wanted, { signal: context.signal, secrets: [wanted.spec.password] }, async api => {
    if (context.attempt > 1) await awaitMaking(api, wanted.username, context)
    const begun = (await findMade(api, wanted, context)) ?? (await begin(api, wanted, context))
    const vm = begun.mark?.isWhole ? begun : await finish(api, begun, wanted, context)
    return { id: vm.id, node: vm.node, macs: macsOf(vm), places: wanted.interfaces.map(locationOf) }
  })
}

async function findMade(api: Api, { name, callId }: Wanted, context: HandlerContext): Promise<Vm | undefined> {
  const found = await findVm(api, name, null)
  if (!found) {
    const other = (await listVms(api)).find(one => one.name === name)
    if (!other) return undefined
    const words = `machine ${other.vmid} is named '${name}', was not made by Contractor, and is left alone. Remove or rename it`
    throw new ContractorError('ALREADY_EXISTS', `${api.name}: ${words}`, { kind: 'machine', id: other.vmid })
  }
  if (found.mark?.call === callId) return found
  if (found.mark?.isWhole) {
    const words = `Foundation '${name}' has machine ${found.id} already, from another call. Destroy it first`
    throw new ContractorError('ALREADY_EXISTS', `${api.name}: ${words}`, { kind: 'machine', id: found.id })
  }
  // What a call has not made whole, nobody was given.
  await removeVm(api, found, context)
  return undefined
}

const begin = (api: Api, wanted: Wanted, context: HandlerContext): Promise<Vm> =>
  wanted.spec.template === null ? makeShell(api, wanted, context) : clone(api, wanted, context)

const idAnswer = z.coerce.number().int()

/** How often another id is taken, where somebody was quicker. */
const idAttempts = 10

/** Ids are not reserved: what is free when it is asked may be another's when it is used. Then the next one is tried. */
async function withNewId(api: Api, node: string, make: (id: number) => Promise<void>): Promise<Vm> {
  let id = 0
  for (let attempt = 1; ; attempt++) {
    const free = await api.get('/cluster/nextid', idAnswer)
    // Proxmox may call the same one free again, until its new owner is known to all nodes.
    id = Math.max(free, id + 1)
    try {
      await make(id)
      break
    } catch (error) {
      if (!isContractorError(error, 'ALREADY_EXISTS') || attempt === idAttempts) throw error
    }
  }
  const made = await readVm(api, { node, vmid: id })
  if (made) return made
  throw deviceError('DEVICE_BUSY', api.name, `machine ${id} was made, and cannot be seen on node '${node}'`)
}

const unfinished = ({ name, callId }: Wanted): string => writeMark({ foundation: name, call: callId, isWhole: false })

async function makeShell(api: Api, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, spec, interfaces, defaults } = wanted
  const storage = spec.storage ?? defaults.storage
  const place = { node: spec.node ?? defaults.node, storage, memorySize: spec.memory_size, diskSize: spec.disk_size }
  const node = await chooseNode(api, place)
  const options = { ...toShell(spec, interfaces), name, description: unfinished(wanted) }
  return withNewId(api, node, async vmid => {
    const upid = await api.send('POST', `/nodes/${node}/qemu`, { vmid, ...options })
    await awaitTask(api, `Making machine ${vmid} on node '${node}'`, upid, context)
  })
}

async function clone(api: Api, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, spec } = wanted
  const template = await findTemplate(api, spec.template ?? '')
  const node = spec.node ?? template.node
  const options = {
    ...{ name, description: unfinished(wanted), full: spec.full_clone },
    ...(spec.full_clone && spec.storage !== null && { storage: spec.storage }),
    ...(node !== template.node && { target: node }),
    ...(spec.pool !== null && { pool: spec.pool }),
  }
  return withNewId(api, node, async newid => {
    const upid = await api.send('POST', `/nodes/${template.node}/qemu/${template.vmid}/clone`, { newid, ...options })
    await awaitTask(api, `Cloning template '${spec.template}' to machine ${newid}`, upid, context)
  })
}

async function findTemplate(api: Api, wanted: string) {
  const all = await listVms(api)
  const named = all.filter(one => one.template === 1 && (one.name === wanted || String(one.vmid) === wanted))
  const [found] = named
  if (found && named.length === 1) return found
  const known = all.flatMap(one => (one.template === 1 ? [one.name ?? one.vmid] : [])).join(', ') || 'none'
  const words = found
    ? `there are ${named.length} templates '${wanted}': ${named.map(one => one.vmid).join(', ')}. Name one by its id`
    : `there is no template '${wanted}': it has ${known}`
  throw new ContractorError('NOT_FOUND', `${api.name}: ${words}`, { kind: 'template', id: wanted })
}

/** Makes it what it is to be. Its mark is set with the last step. What cannot be finished is not left behind. */
async function finish(api: Api, vm: Vm, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, callId: call, spec, interfaces, defaults } = wanted
  try {
    if (spec.template !== null) await growDisk(api, vm, spec.disk_size, context)
    const description = writeMark({ foundation: name, call, isWhole: true })
    const changes = toChanges(spec, interfaces, spec.storage ?? defaults.storage, vm.config)
    const upid = await api.send('POST', `${vm.path}/config`, { ...changes, description })
    await awaitTask(api, `Setting up machine ${vm.id}`, upid, context)
  } catch (error) {
    if (isContractorError(error) && !error.retryable) await removeVm(api, vm, context).catch(() => undefined)
    throw error
  }
  return { ...vm, config: (await getVm(api, name, vm.id)).config }
}

const units: Readonly<Record<string, number>> = { M: 1 / 1024, G: 1, T: 1024 }

/** A disk can grow, and not shrink: one that its template has made larger stays so. */
async function growDisk(api: Api, vm: Vm, diskSize: number, context: HandlerContext): Promise<void> {
  const [, order = ''] = /order=([^,]*)/.exec(String(vm.config.boot ?? '')) ?? []
  const disks = [...order.split(';'), 'scsi0', 'virtio0', 'sata0', 'ide0']
  const disk = disks.find(one => /^(scsi|virtio|sata|ide)\d+$/.test(one) && isDisk(vm.config[one]))
  const [, digits, unit = ''] = /(?:^|,)size=(\d+)([MGT])/.exec(String(disk && vm.config[disk])) ?? []
  if (disk === undefined || digits === undefined) return
  const present = Number(digits) * (units[unit] ?? 1)
  if (present > diskSize)
    context.log(`Disk ${disk} of machine ${vm.id} has ${present} GiB, as in its template, and not ${diskSize}`)
  if (present >= diskSize) return
  const upid = await api.send('PUT', `${vm.path}/resize`, { disk, size: `${diskSize}G` })
  await awaitTask(api, `Growing disk ${disk} of machine ${vm.id}`, upid, context)
}

const isDisk = (value: unknown): boolean => typeof value === 'string' && !/media=cdrom|cloudinit/.test(value)
