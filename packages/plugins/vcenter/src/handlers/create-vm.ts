import { setTimeout as delay } from 'node:timers/promises'
import { deviceError, locationOf } from '@contractor/driver'
import { ContractorError, type HandlerContext } from '@contractor/plugin'
import type { Made, Wanted } from '../tasks.ts'
import { cloneTemplate, templateChanges } from './clone-template.ts'
import { adapterChanges, bootOrderXml, macsOf, newDisk } from './devices.ts'
import { isFault } from './faults.ts'
import { findNamed, markXml, readVm, type Vm } from './find-vm.ts'
import { importAppliance } from './import-appliance.ts'
import { getCluster, getDatacenter, getDatastore, getHost, getNetworks, type Network } from './inventory.ts'
import type { Making } from './making.ts'
import { readObject } from './properties.ts'
import { propertiesXml } from './property-map.ts'
import { runTask } from './task.ts'
import { refXml, typed, type Vim, withVim } from './vim.ts'
import type { XmlObject } from './xml.ts'

/**
 * Makes a machine, in two steps: it is made with a mark that says whose it is and that it is not whole; then it is set up, and the
 * mark says that it is. What an attempt before has left is found by that mark, and gone on with; one of another call, or of
 * somebody else, is left alone.
 */
export function createVm(wanted: Wanted, context: HandlerContext): Promise<Made> {
  return withVim(wanted, context, async vim => {
    const making = { vim, wanted, context }
    const made = (await findMade(vim, wanted)) ?? (await makeNew(making))
    const vm = made.mark?.isWhole ? made : await finish(making, made)
    const values = await readObject(vim, vm.ref, ['config.hardware.device'])
    return { uuid: vm.uuid, macs: macsOf(values['config.hardware.device']), places: wanted.interfaces.map(locationOf) }
  })
}

async function findMade(vim: Vim, { name, callId }: Wanted): Promise<Vm | undefined> {
  const named = await Promise.all((await findNamed(vim, name)).map(({ ref }) => readVm(vim, ref)))
  // One that is being made has no configuration yet, and so nothing that says whose it is.
  const seen = named.filter(one => one.uuid)
  const found = seen.find(one => one.mark?.foundation === name) ?? seen[0]
  if (!found) return undefined
  const isOwn = found.mark?.foundation === name
  if (isOwn && found.mark?.call === callId) return found
  const words = isOwn
    ? `Foundation '${name}' has a machine already, from another call. Destroy it first`
    : `the machine '${name}' was not made for this Foundation, and is left alone. Remove or rename it`
  throw new ContractorError('ALREADY_EXISTS', `${vim.name}: ${words}`, { kind: 'machine', id: name })
}

async function makeNew({ vim, wanted, context }: Pick<Making, 'vim' | 'wanted' | 'context'>): Promise<Vm> {
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
  return awaitMade(vim, wanted, context.signal)
}

/** A name is taken before its machine can be seen: an attempt of ours, whose answer was lost, may be at it still. */
async function awaitMade(vim: Vim, wanted: Wanted, signal: AbortSignal): Promise<Vm> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const made = await findMade(vim, wanted)
    if (made) return made
    await delay(250, undefined, { signal })
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

/** What vSphere can be told only once there is a machine; done again, it does no harm. */
async function finish({ vim, wanted, context }: Pick<Making, 'vim' | 'wanted' | 'context'>, vm: Vm): Promise<Vm> {
  const { name, callId: call, spec, interfaces, vmHost } = wanted
  const values = await readObject(vim, vm.ref, ['config.hardware.device', 'config.vAppConfig'])
  const hardware = values['config.hardware.device']
  const isOfNothing = spec.ova === null && spec.template === null
  const bootOrder = isOfNothing ? bootOrderXml(spec, hardware) : []
  const networks =
    spec.template === null
      ? new Map<string, Network>()
      : await getNetworks(
          vim,
          await getHost(vim, vmHost),
          interfaces.map(one => one.network),
        )
  const own: XmlObject = {
    ...(spec.template !== null && templateChanges(wanted, networks, hardware, context)),
    extraConfig: markXml({ foundation: name, call, isWhole: true }),
    ...(bootOrder.length && { bootOptions: { bootOrder } }),
    ...(spec.ova === null && propertiesXml(spec.property_map, values['config.vAppConfig'])),
  }
  const parameters = { spec: typed('VirtualMachineConfigSpec', own) }
  await runTask(vim, `Setting up machine '${name}'`, { method: 'ReconfigVM_Task', self: vm.ref, parameters }, context)
  return readVm(vim, vm.ref)
}
