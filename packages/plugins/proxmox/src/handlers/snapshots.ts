import { z } from 'zod'
import type { Target } from '../tasks.ts'
import type { Api } from './api.ts'
import { getVm, type Vm } from './find-vm.ts'
import { awaitTask, type TaskWait } from './task.ts'

type Named = Pick<Target, 'name' | 'id'>

const snapshots = z.array(
  z.object({
    name: z.string(),
    description: z.string().default(''),
    snaptime: z.coerce.number().optional(),
    parent: z.string().optional(),
    vmstate: z.coerce.number().default(0),
  }),
)

/** Without the state of now, which Proxmox calls `current`. */
const readSnapshots = async (api: Api, vm: Vm) =>
  (await api.get(`${vm.path}/snapshot`, snapshots)).filter(one => one.name !== 'current')

export async function listSnapshots(api: Api, { name, id }: Named) {
  const all = await readSnapshots(api, await getVm(api, name, id))
  return all
    .sort((one, other) => (one.snaptime ?? 0) - (other.snaptime ?? 0))
    .map(({ name: own, description, snaptime = null, parent = null, vmstate }) => ({
      ...{ name: own, description: description.replace(callMark, '').trim(), at: snaptime, parent },
      memory: vmstate === 1,
    }))
}

const callMark = /\n?contractor\.call=\S+\n?$/

export async function createSnapshot(
  api: Api,
  wanted: Named & { snapshot: string; description: string; memory: boolean; callId: string },
  wait: TaskWait,
): Promise<{ snapshot: string }> {
  const { name, id, snapshot: snapname, description, memory: vmstate, callId } = wanted
  const vm = await getVm(api, name, id)
  const mark = `contractor.call=${callId}`
  const isOurs = async () =>
    (await readSnapshots(api, vm)).some(one => one.name === snapname && one.description.includes(mark))
  if (await isOurs()) return { snapshot: snapname }
  const upid = await api.send('POST', `${vm.path}/snapshot`, {
    ...{ snapname, description: `${description}\n${mark}`.trim(), vmstate },
  })
  await awaitTask(api, `Taking snapshot '${snapname}' of machine ${vm.id}`, upid, wait)
  return { snapshot: snapname }
}

export async function rollbackSnapshot(
  api: Api,
  { name, id, snapshot, start }: Named & { snapshot: string; start: boolean },
  wait: TaskWait,
): Promise<Record<string, never>> {
  const vm = await getVm(api, name, id)
  const upid = await api.send('POST', `${vm.path}/snapshot/${snapshot}/rollback`, { start })
  await awaitTask(api, `Taking machine ${vm.id} back to snapshot '${snapshot}'`, upid, wait)
  return {}
}

export async function deleteSnapshot(
  api: Api,
  { name, id, snapshot }: Named & { snapshot: string },
  wait: TaskWait,
): Promise<{ deleted: boolean }> {
  const vm = await getVm(api, name, id)
  const isThere = (await readSnapshots(api, vm)).some(one => one.name === snapshot)
  if (!isThere) return { deleted: false }
  const upid = await api.send('DELETE', `${vm.path}/snapshot/${snapshot}`)
  await awaitTask(api, `Removing snapshot '${snapshot}' of machine ${vm.id}`, upid, wait)
  return { deleted: true }
}
