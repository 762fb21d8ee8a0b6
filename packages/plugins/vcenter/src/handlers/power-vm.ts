import { changePower, deviceError, type PowerAction } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Target } from '../tasks.ts'
import { isFault } from './faults.ts'
import { findVm, getVm, powerOf, readVm, type Vm } from './find-vm.ts'
import { readObject } from './properties.ts'
import { runTask, type Wait } from './task.ts'
import type { Vim } from './vim.ts'
import { at, textOf } from './xml.ts'

type Named = Pick<Target, 'name' | 'uuid'>

const methods = { on: 'PowerOnVM_Task', off: 'PowerOffVM_Task', reset: 'ResetVM_Task' } as const

export async function setPower(vim: Vim, { action, ...named }: Named & { action: PowerAction }, wait: Wait) {
  const vm = await getVm(vim, named)
  return changePower(action, {
    read: async () => powerOf((await readVm(vim, vm.ref)).powerState),
    send: what => sendPower(vim, vm, what, wait),
  })
}

async function sendPower(vim: Vim, vm: Vm, action: PowerAction, wait: Wait): Promise<void> {
  if (action === 'soft') return shutDown(vim, vm, wait)
  try {
    const look = () => checkQuestion(vim, vm)
    const what = `Switching machine '${vm.name}' (${action})`
    await runTask(vim, what, { method: methods[action], self: vm.ref }, { ...wait, look })
  } catch (error) {
    // It has become so meanwhile.
    const after = powerOf((await readVm(vim, vm.ref)).powerState)
    if (!isFault(error, 'InvalidPowerState') || action === 'reset' || after !== action) throw error
  }
}

/** By the guest's tools; where it has none, it is switched off. */
async function shutDown(vim: Vim, vm: Vm, wait: Wait): Promise<void> {
  try {
    await vim.call('ShutdownGuest', vm.ref)
  } catch (error) {
    if (!isFault(error, 'ToolsUnavailable', 'NotSupported', 'InvalidPowerState')) throw error
    await sendPower(vim, vm, 'off', wait)
  }
}

/** A machine that asks something stands still until somebody has answered. */
async function checkQuestion(vim: Vim, { ref, name }: Vm): Promise<void> {
  const values = await readObject(vim, ref, ['runtime.question'])
  const question = textOf(at(values['runtime.question'], 'text'))
  if (question)
    throw deviceError(
      'DEVICE_REFUSED',
      vim.name,
      `machine '${name}' waits for an answer: answer it in vSphere (${question})`,
    )
}

export async function destroyVm(vim: Vim, named: Named, wait: Wait): Promise<{ destroyed: boolean }> {
  const vm = await findVm(vim, named)
  if (!vm) return { destroyed: false }
  await removeVm(vim, vm, wait)
  return { destroyed: true }
}

/** With its disks. */
export async function removeVm(vim: Vim, vm: Vm, wait: Wait): Promise<void> {
  if (powerOf(vm.powerState) !== 'off') await sendPower(vim, vm, 'off', wait)
  try {
    await runTask(vim, `Removing machine '${vm.name}'`, { method: 'Destroy_Task', self: vm.ref }, wait)
  } catch (error) {
    if (!isContractorError(error, 'NOT_FOUND')) throw error
  }
}
