import { defineHandlers } from '@contractor/plugin'
import { proxmox } from '../proxmox.ts'
import { withApi } from './api.ts'
import { listNodes } from './choose-node.ts'
import { createVm } from './create-vm.ts'
import { getVm, listVms, macsOf, powerOf, readState, readStatus } from './find-vm.ts'
import { setPower } from './power-vm.ts'
import { destroyVm } from './remove-vm.ts'
import { createSnapshot, deleteSnapshot, listSnapshots, rollbackSnapshot } from './snapshots.ts'

/** The Tasks of module `proxmox`, by the API of Proxmox VE. */
export const handlers = defineHandlers(proxmox, {
  create: createVm,
  destroy: (wanted, context) => withApi(wanted, context, api => destroyVm(api, wanted, context)),
  set_power: (wanted, context) => withApi(wanted, context, api => setPower(api, wanted, context)),
  power_state: ({ name, id, ...connection }, context) =>
    withApi(connection, context, async api => {
      const { status } = await readStatus(api, await getVm(api, name, id))
      return { state: powerOf(status) }
    }),
  state: ({ name, id, ...connection }, context) => withApi(connection, context, api => readState(api, name, id)),
  interfaces: ({ name, id, ...connection }, context) =>
    withApi(connection, context, async api => ({ interface_list: macsOf(await getVm(api, name, id)) })),
  create_snapshot: (wanted, context) => withApi(wanted, context, api => createSnapshot(api, wanted, context)),
  list_snapshots: (wanted, context) =>
    withApi(wanted, context, async api => ({ snapshots: await listSnapshots(api, wanted) })),
  rollback_snapshot: (wanted, context) => withApi(wanted, context, api => rollbackSnapshot(api, wanted, context)),
  delete_snapshot: (wanted, context) => withApi(wanted, context, api => deleteSnapshot(api, wanted, context)),
  list: (connection, context) =>
    withApi(connection, context, async api => ({
      machines: (await listVms(api))
        .filter(one => one.template === 0)
        .map(({ vmid, name = '', node, status }) => ({ id: vmid, name, node, status })),
    })),
  list_nodes: ({ min_memory, min_cores, ...connection }, context) =>
    withApi(connection, context, async api => ({ nodes: await listNodes(api, { min_memory, min_cores }) })),
})
