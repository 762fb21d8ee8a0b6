import { changePower, type PowerAction } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Target } from '../tasks.ts'
import type { Api } from './api.ts'
import { getVm, powerOf, readStatus, type Vm } from './find-vm.ts'
import { awaitTask, type TaskWait } from './task.ts'

type Named = Pick<Target, 'name' | 'id'>

/** A shutdown has less than one of its attempts: while it goes on, the machine is locked for everything else. */
const shutdownSeconds = 50
/** How long it is looked whether a shutdown fails at once. */
const shutdownLookMs = 1000

const commands: Readonly<Record<PowerAction, string>> = { on: 'start', off: 'stop', soft: 'shutdown', reset: 'reset' }

export async function setPower(api: Api, { name, id, action }: Named & { action: PowerAction }, wait: TaskWait) {
  const vm = await getVm(api, name, id)
  return changePower(action, {
    read: async () => powerOf((await readStatus(api, vm)).status),
    send: what => sendPower(api, vm, what, wait),
  })
}

export async function sendPower(api: Api, vm: Vm, action: PowerAction, wait: TaskWait): Promise<void> {
  if (action === 'soft') return shutDown(api, vm, wait)
  try {
    await awaitTask(api, whatOf(action, vm), await api.send('POST', pathOf(action, vm)), wait)
  } catch (error) {
    // It has become so meanwhile: `VM 105 already running`, `VM 105 not running`.
    if (!isContractorError(error, 'DEVICE_REFUSED')) throw error
    const after = powerOf((await readStatus(api, vm)).status)
    if (action === 'reset' || after !== (action === 'on' ? 'on' : 'off')) throw error
  }
}

/** A guest that heeds no ACPI is told from one that takes its time by its state, later: whoever asks looks at that. */
async function shutDown(api: Api, vm: Vm, wait: TaskWait): Promise<void> {
  const upid = await api.send('POST', pathOf('soft', vm), { timeout: shutdownSeconds })
  try {
    await awaitTask(api, whatOf('soft', vm), upid, { ...wait, limitMs: shutdownLookMs })
  } catch (error) {
    if (!isContractorError(error, 'DEVICE_REFUSED') && !isContractorError(error, 'DEVICE_TIMED_OUT')) throw error
  }
}

const pathOf = (action: PowerAction, { path }: Vm) => `${path}/status/${commands[action]}`
const whatOf = (action: PowerAction, { id }: Vm) => `'${commands[action]}' of machine ${id}`
