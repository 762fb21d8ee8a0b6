import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import { faultError } from './faults.ts'
import { readObject, refsOf } from './properties.ts'
import { faultWords, type Ref, refOf, type Vim } from './vim.ts'
import { at, elementOf, type Node, numberOf, textOf, typeOf, type XmlObject } from './xml.ts'

/** From one look to the next, in milliseconds: short tasks end soon. */
export const firstMs = 100
export const mostMs = 2000

export interface Wait {
  signal: AbortSignal
  progress?(percent: number, message?: string): void
  /** What else may keep it from its end: throws then. */
  look?(): Promise<void>
}

/** Begins a task and waits for its end, which says whether it was done: that it was begun says nothing. Gives its result. */
export async function runTask(
  vim: Vim,
  what: string,
  { method, self, parameters }: { method: string; self: Ref; parameters?: XmlObject },
  { signal, progress, look }: Wait,
): Promise<Node | undefined> {
  const [node] = await vim.call(method, self, parameters)
  const task = refOf(node)
  if (!task) throw deviceError('DEVICE_ANSWER_INVALID', vim.name, `its answer to ${method} names no task`)
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, mostMs)) {
    const { info } = await readObject(vim, task, ['info'])
    const state = textOf(at(info, 'state'))
    if (state === 'success') return at(info, 'result')
    if (state === 'error') {
      const error = elementOf(at(info, 'error'))
      const words = faultWords(textOf(error.localizedMessage), error.fault)
      throw faultError(vim.name, what, typeOf(error.fault), words)
    }
    const percent = numberOf(at(info, 'progress'))
    if (progress && percent >= 0) progress(percent, what)
    if (waitMs === mostMs) await look?.()
    await delay(waitMs, undefined, { signal })
  }
}

/** By what vSphere calls the tasks that make a machine. */
const making = /^(Folder\.createVm|VirtualMachine\.clone|ResourcePool\.ImportVApp)/

/** Waits for all machines that are being made: which of them an attempt before has begun cannot be seen. */
export async function awaitMaking(vim: Vim, { signal }: Wait): Promise<void> {
  const { recentTask } = await readObject(vim, vim.root('taskManager'), ['recentTask'])
  for (const task of refsOf(recentTask)) {
    for (let waitMs = firstMs; await isMaking(vim, task); waitMs = Math.min(waitMs * 2, mostMs))
      await delay(waitMs, undefined, { signal })
  }
}

/** One that has ended is forgotten some time later. */
async function isMaking(vim: Vim, task: Ref): Promise<boolean> {
  try {
    const { info } = await readObject(vim, task, ['info'])
    const isOpen = ['queued', 'running'].includes(textOf(at(info, 'state')))
    return isOpen && making.test(textOf(at(info, 'descriptionId')))
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return false
    throw error
  }
}
