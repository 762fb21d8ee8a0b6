import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandlers } from '@contractor/plugin'
import { page } from './index.ts'

/** How long a step takes at most before, and after, its effect: the time in which its agent may be killed. */
const mostMs = 250

const fileOf = (name: string) => join(process.env.CHAOS_LEDGER ?? '.', name)
const pause = (signal: AbortSignal) => delay(Math.random() * mostMs, undefined, { signal })

export const handlers = defineHandlers(page, {
  async write({ page: name, step, callId }, { signal }) {
    await pause(signal)
    // One write in append mode: whole or not at all, and nothing that was there is lost, so that a second one shows.
    appendFileSync(fileOf(name), `${step} ${callId} ${process.pid}\n`)
    await pause(signal)
    return { step }
  },
  async look({ page: name, callId }) {
    try {
      return { isWritten: readFileSync(fileOf(name), 'utf8').includes(` ${callId} `) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { isWritten: false }
      throw error
    }
  },
})
