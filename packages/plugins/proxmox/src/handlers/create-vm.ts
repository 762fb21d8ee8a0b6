import { deviceError, vmPlaces } from '@contractor/driver'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import { z } from 'zod'
import type { Made, Wanted } from '../tasks.ts'
import { type Api, withApi } from './api.ts'
import { chooseNode } from './choose-node.ts'
import { findVm, getVm, listVms, macsOf, readVm, type Vm, writeMark } from './find-vm.ts'
import { awaitMaking, isHusk, removeVm } from './remove-vm.ts'
import { awaitTask } from './task.ts'
import { toChanges, toOptions } from './vm-options.ts'

/**
 * Makes a machine. What an attempt before has left is found by the mark in its description, which names the Foundation and the
 * call: a machine that is whole is the answer; a clone that is not is gone on with; one that stays locked since its node broke
 * down in the middle is removed, and made anew. One of another call, or of somebody else, is left alone.
 */
export function createVm(wanted: Wanted, context: HandlerContext): Promise<Made> {
  return withApi(wanted, { signal: context.signal, secrets: [wanted.spec.password] }, async api => {
    const before = await findMade(api, wanted, context)
    const made =
      before ??
      (wanted.spec.template === null ? await makeNew(api, wanted, context) : await clone(api, wanted, context))
    const vm = made.mark?.isWhole ? made : await finish(api, made, wanted, context)
    return { id: vm.id, node: vm.node, macs: macsOf(vm), places: vmPlaces(wanted.interfaces) }
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
  if (found.mark?.call !== callId) {
    const words = `Foundation '${name}' has machine ${found.id} already, from another call. Destroy it first`
    throw new ContractorError('ALREADY_EXISTS', `${api.name}: ${words}`, { kind: 'machine', id: found.id })
  }
  if (!isHusk(found)) return found
  await awaitMaking(api, found, context)
  const now = await findVm(api, name, null)
  if (!now || !isHusk(now)) return now
  await removeVm(api, now, context)
  return undefined
}

const idAnswer = z.coerce.number().int()

/** How often another id is taken, where somebody was quicker. */
const idAttempts = 10

/**
 * Ids are not reserved: what is free when it is asked may be another's when it is used. Then the next one is tried; but the
 * other may be an attempt of this very call, which could not be seen before.
 */
async function withNewId(api: Api, wanted: Wanted, node: string, begin: (id: number) => Promise<void>): Promise<Vm> {
  let id = 0
  for (let attempt = 1; ; attempt++) {
    const free = await api.get('/cluster/nextid', idAnswer)
    // Proxmox may call the same one free again, until its new owner is known to all nodes.
    id = Math.max(free, id + 1)
    try {
      await begin(id)
    } catch (error) {
      if (!isContractorError(error, 'ALREADY_EXISTS') || attempt === idAttempts) throw error
      const own = await findVm(api, wanted.name, null)
      if (own?.mark?.call === wanted.callId) return own
      continue
    }
    const made = await readVm(api, { node, vmid: id })
    if (made) return made
    throw deviceError('DEVICE_BUSY', api.name, `machine ${id} was made, and cannot be seen on node '${node}'`)
  }
}

async function makeNew(api: Api, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, callId: call, spec, interfaces, defaults } = wanted
  const storage = spec.storage ?? defaults.storage
  const place = { node: spec.node ?? defaults.node, storage, memorySize: spec.memory_size, diskSize: spec.disk_size }
  const node = await chooseNode(api, place)
  const description = writeMark({ foundation: name, call, isWhole: true })
  const options = { ...toOptions(spec, interfaces, storage), name, description }
  return withNewId(api, wanted, node, async vmid => {
    const upid = await api.send('POST', `/nodes/${node}/qemu`, { vmid, ...options })
    await awaitTask(api, `Making machine ${vmid} on node '${node}'`, upid, context)
  })
}

async function clone(api: Api, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, callId: call, spec } = wanted
  const template = await findTemplate(api, spec.template ?? '')
  const node = spec.node ?? template.node
  const options = {
    ...{ name, description: writeMark({ foundation: name, call, isWhole: false }), full: spec.full_clone },
    ...(spec.full_clone && spec.storage !== null && { storage: spec.storage }),
    ...(node !== template.node && { target: node }),
    ...(spec.pool !== null && { pool: spec.pool }),
  }
  return withNewId(api, wanted, node, async newid => {
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

/** Makes a clone what it is to be. Its mark is set with the last step: only then it is whole. */
async function finish(api: Api, vm: Vm, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { name, callId: call, spec, interfaces, defaults } = wanted
  await growDisk(api, vm, spec.disk_size, context)
  const description = writeMark({ foundation: name, call, isWhole: true })
  const changes = toChanges(spec, interfaces, spec.storage ?? defaults.storage, vm.config)
  const upid = await api.send('POST', `${vm.path}/config`, { ...changes, description })
  await awaitTask(api, `Setting up machine ${vm.id}`, upid, context)
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
