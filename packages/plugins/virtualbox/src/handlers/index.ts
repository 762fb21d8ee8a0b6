import { changePower, type MachineSeen } from '@contractor/driver'
import { uuidOf } from '@contractor/driver/uuid'
import { defineHandlers } from '@contractor/plugin'
import { virtualbox } from '../virtualbox.ts'
import { attach, createMachine } from './create-machine.ts'
import { controller, findMachine, findOwn, getOwn, idOf, type MachineInfo, macsOf, powerOf } from './machine-info.ts'
import { sendPower } from './power.ts'
import { removeMachine } from './remove-machine.ts'
import { createSnapshot, deleteSnapshot, listSnapshots, restoreSnapshot } from './snapshots.ts'
import { createVBox } from './vboxmanage.ts'

/** The Tasks of module `virtualbox`, by the VBoxManage of the agent's machine. */
export const handlers = defineHandlers(virtualbox, {
  create: createMachine,
  async destroy({ callId, ...machine }, context) {
    const vbox = createVBox(machine.host, context)
    const found = callId === null ? await findOwn(vbox, machine) : await findMachine(vbox, uuidOf(callId))
    return found ? removeMachine(vbox, idOf(found)) : { destroyed: false }
  },
  async look(machine, context) {
    return toSeen(await findOwn(createVBox(machine.host, context), machine))
  },
  async interfaces(machine, context) {
    return { interface_list: macsOf(await getOwn(createVBox(machine.host, context), machine)) }
  },
  async set_power({ action, ...machine }, context) {
    const vbox = createVBox(machine.host, context)
    const info = await getOwn(vbox, machine)
    return changePower(action, { read: async () => powerOf(info), send: what => sendPower(vbox, info, what) })
  },
  async power_state(machine, context) {
    return { state: powerOf(await getOwn(createVBox(machine.host, context), machine)) }
  },
  snapshot_create: ({ snapshot, ...machine }, context) =>
    createSnapshot(createVBox(machine.host, context), machine, snapshot),
  async snapshot_list(machine, context) {
    const found = await listSnapshots(createVBox(machine.host, context), machine)
    return { snapshots: found.map(({ name, uuid }) => ({ name, details: { uuid } })) }
  },
  async snapshot_restore({ snapshot, ...machine }, context) {
    await restoreSnapshot(createVBox(machine.host, context), machine, snapshot)
    return {}
  },
  snapshot_delete: ({ snapshot, ...machine }, context) =>
    deleteSnapshot(createVBox(machine.host, context), machine, snapshot),
  async set_iso({ iso, ...machine }, context) {
    const vbox = createVBox(machine.host, context)
    const info = await getOwn(vbox, machine)
    const wanted = iso ?? 'emptydrive'
    if (info.get(`${controller.name}-${controller.drive}-0`) === wanted) return { changed: false }
    await attach(vbox, idOf(info), controller.drive, 'dvddrive', wanted)
    return { changed: true }
  },
  async list({ host }, context) {
    const text = await createVBox(host, context).run(['list', 'vms'])
    const found = [...text.matchAll(/^"(.*)" \{([0-9a-f-]{36})\}$/gim)]
    return { machines: found.map(([, name = '', id = '']) => ({ name, id })) }
  },
})

function toSeen(info: MachineInfo | undefined): MachineSeen {
  if (!info) return { state: 'gone', id: null, details: {} }
  const number = (name: string) => Number(info.get(name) ?? 0)
  return {
    state: powerOf(info),
    id: idOf(info),
    details: {
      status: info.get('VMState') ?? '',
      name: info.get('name') ?? '',
      cpu_count: number('cpus'),
      memory_size: number('memory'),
    },
  }
}
