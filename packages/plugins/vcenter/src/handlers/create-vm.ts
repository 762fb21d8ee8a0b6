import { setTimeout as delay } from 'node:timers/promises'
import { deviceError, locationOf } from '@contractor/driver'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type { Made, Wanted } from '../tasks.ts'
import { cloneTemplate, templateChanges } from './clone-template.ts'
import { adapterChanges, bootOrderXml, macsOf, newDisk } from './devices.ts'
import { isFault } from './faults.ts'
import { findNamed, markXml, readVm, type Vm } from './find-vm.ts'
import { importAppliance } from './import-appliance.ts'
import { getCluster, getDatacenter, getDatastore, getHost, getNetworks, type Network } from './inventory.ts'
import type { Making } from './making.ts'
import { removeVm } from './power-vm.ts'
import { readObject } from './properties.ts'
import { propertiesXml } from './property-map.ts'
import { awaitMaking, runTask } from './task.ts'
import { refXml, typed, type Vim, withVim } from './vim.ts'
import type { XmlObject } from './xml.ts'

/**
 * Makes a machine, in two steps: it is made with a mark that says whose it is and that it is not whole; then it is set up, and the
 * mark says that it is. What an attempt before has left is found by that mark, and gone on with; while it is made it may say
 * nothing of itself, and is waited for. What another call has not made whole is removed; one of somebody else is left alone.
 */
export function createVm(wanted: Wanted, context: HandlerContext): Promise<Made> {
  return withVim(wanted, context, async vim => {
    if (context.attempt > 1) await awaitMaking(vim, context)
    const made = (await findMade(vim, wanted, context)) ?? (await makeNew(vim, wanted, context))
    const vm = made.mark?.isWhole ? made : await finish(vim, wanted, context, made)
    const values = await readObject(vim, vm.ref, ['config.hardware.device'])
    return { uuid: vm.uuid, macs: macsOf(values['config.hardware.device']), places: wanted.interfaces.map(locationOf) }
  })
}

async function findMade(vim: Vim, { name, callId }: Wanted, context: HandlerContext): Promise<Vm | undefined> {
  const named = await Promise.all((await findNamed(vim, name)).map(({ ref }) => readVm(vim, ref)))
  // One that is being made has no configuration yet, and so nothing that says whose it is.
  const seen = named.filter(one => one.uuid)
  const found = seen.find(one => one.mark?.foundation === name) ?? seen[0]
  if (!found) return undefined
  const { mark } = found
  if (mark?.foundation !== name) {
    const words = `the machine '${name}' was not made for this Foundation, and is left alone. Remove or rename it`
    throw new ContractorError('ALREADY_EXISTS', `${vim.name}: ${words}`, { kind: 'machine', id: name })
  }
  if (mark.call === callId) return found
  if (mark.isWhole) {
    const words = `Foundation '${name}' has a machine already, from another call. Destroy it first`
    throw new ContractorError('ALREADY_EXISTS', `${vim.name}: ${words}`, { kind: 'machine', id: name })
  }
  // What a call has not made whole, nobody was given.
  await removeVm(vim, found, context)
  return undefined
}

async function makeNew(vim: Vim, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  const { vmHost, datastore: datastoreName, interfaces, spec } = wanted
  const datacenter = await getDatacenter(vim)
  const cluster = await getCluster(vim, datacenter)
  const host = await getHost(vim, vmHost)
  const datastore = await getDatastore(vim, host, datastoreName)
  const networks = await getNetworks(
    vim,
    host,
    interfaces.map(one => one.network),
  )
  const making = { vim, wanted, context, datacenter, cluster, host, datastore, networks }
  try {
    if (spec.ova !== null) await importAppliance(making, spec.ova)
    else if (spec.template !== null) await cloneTemplate(making, spec.template)
    else await makeOfNothing(making)
  } catch (error) {
    if (!isFault(error, 'DuplicateName')) throw error
  }
  return awaitMade(vim, wanted, context)
}

/** A name is taken before its machine can be seen: an attempt of ours, whose answer was lost, may be at it still. */
async function awaitMade(vim: Vim, wanted: Wanted, context: HandlerContext): Promise<Vm> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const made = await findMade(vim, wanted, context)
    if (made) return made
    await delay(250, undefined, { signal: context.signal })
  }
  throw deviceError('DEVICE_BUSY', vim.name, `the name '${wanted.name}' is taken by a machine that cannot be seen`)
}

async function makeOfNothing({ vim, wanted, context, datacenter, cluster, host, networks }: Making): Promise<void> {
  const { name, callId: call, spec, interfaces, datastore } = wanted
  const { virtual_exec_usage: virtualExecUsage, virtual_mmu_usage: virtualMmuUsage } = spec
  const config: XmlObject = {
    ...{ name, guestId: spec.guest_id, files: { vmPathName: `[${datastore}]` } },
    ...((virtualExecUsage ?? virtualMmuUsage) !== null && { flags: { virtualMmuUsage, virtualExecUsage } }),
    ...{ numCPUs: spec.cpu_count, memoryMB: spec.memory_size },
    deviceChange: [...newDisk(spec), ...adapterChanges(spec, interfaces, networks, [])],
    extraConfig: markXml({ foundation: name, call, isWhole: false }),
    nestedHVEnabled: spec.virtual_vhv,
  }
  const parameters = { config, pool: refXml(cluster.pool), host: refXml(host) }
  await runTask(
    vim,
    `Making machine '${name}'`,
    { method: 'CreateVM_Task', self: datacenter.vmFolder, parameters },
    context,
  )
}

/** What vSphere can be told only once there is a machine; done again, it does no harm. What cannot be finished is not left behind. */
async function finish(vim: Vim, wanted: Wanted, context: HandlerContext, vm: Vm): Promise<Vm> {
  try {
    const parameters = { spec: typed('VirtualMachineConfigSpec', await changesOf(vim, wanted, context, vm)) }
    const what = `Setting up machine '${wanted.name}'`
    await runTask(vim, what, { method: 'ReconfigVM_Task', self: vm.ref, parameters }, context)
  } catch (error) {
    if (isContractorError(error) && !error.retryable) await removeVm(vim, vm, context).catch(() => undefined)
    throw error
  }
  return readVm(vim, vm.ref)
}

async function changesOf(vim: Vim, wanted: Wanted, context: HandlerContext, { ref }: Vm): Promise<XmlObject> {
  const { name, callId: call, spec, interfaces, vmHost } = wanted
  const values = await readObject(vim, ref, ['config.hardware.device', 'config.vAppConfig'])
  const hardware = values['config.hardware.device']
  const networkNames = spec.template === null ? [] : interfaces.map(one => one.network)
  const networks = networkNames.length
    ? await getNetworks(vim, await getHost(vim, vmHost), networkNames)
    : new Map<string, Network>()
  const bootOrder = spec.ova === null && spec.template === null ? bootOrderXml(spec, hardware) : []
  return {
    ...(spec.template !== null && templateChanges(wanted, networks, hardware, context)),
    extraConfig: markXml({ foundation: name, call, isWhole: true }),
    ...(bootOrder.length && { bootOptions: { bootOrder } }),
    ...(spec.ova === null && propertiesXml(spec.property_map, values['config.vAppConfig'])),
  }
}
