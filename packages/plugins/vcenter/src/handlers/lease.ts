import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { faultError } from './faults.ts'
import { readObject } from './properties.ts'
import { firstMs, mostMs, type Wait } from './task.ts'
import { faultWords, type Ref, refOf, type Vim } from './vim.ts'
import { elementOf, listOf, type Node, textOf, typeOf } from './xml.ts'

/** A lease ends by itself in five minutes, unless it is told how far one is: every so many milliseconds. */
const tellMs = 30_000

/** The right to write or read a machine's disks. */
export interface Lease {
  readonly ref: Ref
  /** Where each disk is: `deviceUrl` of its info. */
  readonly devices: readonly Node[]
}

/** Begins a lease, works, and ends it: given back where that failed, so that nothing half done is left. */
export async function withLease<T>(
  vim: Vim,
  what: string,
  { method, self, parameters }: { method: string; self: Ref; parameters?: Parameters<Vim['call']>[2] },
  { signal }: Wait,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const ref = refOf((await vim.call(method, self, parameters))[0])
  if (!ref) throw deviceError('DEVICE_ANSWER_INVALID', vim.name, `its answer to ${method} names no lease`)
  const timer = setInterval(() => {
    // What matters of a failure shows with the next request of the work itself.
    vim.call('HttpNfcLeaseProgress', ref, { percent: 50 }).catch(() => undefined)
  }, tellMs)
  try {
    const result = await work({ ref, devices: await awaitReady(vim, what, ref, signal) })
    await vim.call('HttpNfcLeaseComplete', ref)
    return result
  } catch (error) {
    await vim.call('HttpNfcLeaseAbort', ref).catch(() => undefined)
    throw error
  } finally {
    clearInterval(timer)
  }
}

async function awaitReady(vim: Vim, what: string, lease: Ref, signal: AbortSignal): Promise<readonly Node[]> {
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, mostMs)) {
    const { state, info, error } = await readObject(vim, lease, ['state', 'info', 'error'])
    const said = textOf(state)
    if (said === 'ready') return listOf(elementOf(info).deviceUrl)
    if (said !== 'initializing') {
      const words = faultWords(textOf(elementOf(error).localizedMessage), error)
      throw faultError(vim.name, what, typeOf(error), words || `its lease is '${said}'`)
    }
    await delay(waitMs, undefined, { signal })
  }
}
