import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { faultError } from './faults.ts'
import { readObject } from './properties.ts'
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
