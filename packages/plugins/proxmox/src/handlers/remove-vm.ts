import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Target } from '../tasks.ts'
import type { Api } from './api.ts'
import { findVm, powerOf, readStatus, readVm, type Vm } from './find-vm.ts'
import { sendPower } from './power-vm.ts'
import { awaitState, awaitTask, type TaskWait } from './task.ts'

/** How long it is waited that a machine is off after the task for that, in milliseconds. */
const settleMs = 120_000

export async function destroyVm(
  api: Api,
  { name, id }: Pick<Target, 'name' | 'id'>,
  wait: TaskWait,
): Promise<{ destroyed: boolean }> {
  const vm = await findVm(api, name, id)
  if (!vm) return { destroyed: false }
  await removeVm(api, vm, wait)
  return { destroyed: true }
}

/** What is on is switched off first; where a cluster's resource manager does that, it does it after the task. */
export async function removeVm(api: Api, vm: Vm, wait: TaskWait): Promise<void> {
  const { id, node, path, config } = vm
  if (config.protection)
    throw deviceError('DEVICE_REFUSED', api.name, `machine ${id} is protected: take its protection away first`)
  const isOff = async () => powerOf((await readStatus(api, vm)).status) === 'off'
  if (!(await isOff())) {
    await sendPower(api, vm, 'off', wait)
    await awaitState(api.name, isOff, { ...wait, limitMs: settleMs, what: `Switching off machine ${id}` })
  }
  try {
    const upid = await api.send('DELETE', path, { purge: true, 'destroy-unreferenced-disks': true })
    await awaitTask(api, `Removing machine ${id}`, upid, wait)
  } catch (error) {
    if (!isContractorError(error, 'NOT_FOUND')) throw error
  }
  // What could not be found may have been one of its disks.
  if (await readVm(api, { node, vmid: id }))
    throw deviceError('DEVICE_REFUSED', api.name, `machine ${id} was removed, and is there still`)
}
