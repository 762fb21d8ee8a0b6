import { changePower } from '@contractor/driver'
import { uuidOf } from '@contractor/driver/uuid'
import { defineHandlers } from '@contractor/plugin'
import { libvirt } from '../libvirt.ts'
import { createDomain } from './create-domain.ts'
import { findDomain, findOwn, getOwn, stateOf } from './domain.ts'
import { readAddresses } from './interfaces.ts'
import { sendPower } from './power.ts'
import { removeDomain } from './remove-domain.ts'
import { createSnapshot, deleteSnapshot, listSnapshots, restoreSnapshot } from './snapshots.ts'
import { createVirsh } from './virsh.ts'

/** The Tasks of module `libvirt`, by the virsh of the agent's machine. */
export const handlers = defineHandlers(libvirt, {
  create: createDomain,
  async destroy({ callId, ...machine }, context) {
    const virsh = createVirsh(machine, context)
    const found = callId === null ? await findOwn(virsh, machine) : await findDomain(virsh, uuidOf(callId))
    return found ? removeDomain(virsh, found.id) : { destroyed: false }
  },
  async look(machine, context) {
    const virsh = createVirsh(machine, context)
    const found = await findOwn(virsh, machine)
    if (!found) return { state: 'gone' as const, id: null, details: {} }
    const { id, name, cpuCount, memorySize } = found
    const { status, power } = await stateOf(virsh, id)
    return { state: power, id, details: { status, name, cpu_count: cpuCount, memory_size: memorySize } }
  },
  async interfaces(machine, context) {
    return { interface_list: [...(await getOwn(createVirsh(machine, context), machine)).macs] }
  },
  async addresses({ locations, ...machine }, context) {
    const virsh = createVirsh(machine, context)
    return { address_map: await readAddresses(virsh, await getOwn(virsh, machine), locations) }
  },
  async set_power({ action, ...machine }, context) {
    const virsh = createVirsh(machine, context)
    const { id } = await getOwn(virsh, machine)
    return changePower(action, {
      read: async () => (await stateOf(virsh, id)).power,
      send: what => sendPower(virsh, id, what),
    })
  },
  async power_state(machine, context) {
    const virsh = createVirsh(machine, context)
    const { id } = await getOwn(virsh, machine)
    return { state: (await stateOf(virsh, id)).power }
  },
  snapshot_create: ({ snapshot, ...machine }, context) =>
    createSnapshot(createVirsh(machine, context), machine, snapshot),
  async snapshot_list(machine, context) {
    const { names } = await listSnapshots(createVirsh(machine, context), machine)
    return { snapshots: names.map(name => ({ name, details: {} })) }
  },
  async snapshot_restore({ snapshot, ...machine }, context) {
    await restoreSnapshot(createVirsh(machine, context), machine, snapshot)
    return {}
  },
  snapshot_delete: ({ snapshot, ...machine }, context) =>
    deleteSnapshot(createVirsh(machine, context), machine, snapshot),
  async set_iso({ iso, ...machine }, context) {
    const virsh = createVirsh(machine, context)
    const { id, iso: before } = await getOwn(virsh, machine)
    if (before === iso) return { changed: false }
    const { power } = await stateOf(virsh, id)
    const change = iso === null ? ['--eject', '--force'] : [iso, '--update']
    await virsh.run(['change-media', id, 'sda', ...change, '--config', ...(power === 'on' ? ['--live'] : [])])
    return { changed: true }
  },
  async list(host, context) {
    const virsh = createVirsh(host, context)
    const text = await virsh.run(['list', '--all', '--name', '--uuid'])
    const found = [...text.matchAll(/^([0-9a-f-]{36})\s+(\S.*?)\s*$/gim)]
    return { machines: found.map(([, id = '', name = '']) => ({ name, id })) }
  },
})
