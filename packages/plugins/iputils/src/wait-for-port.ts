import { port, host as target } from '@contractor/driver'
import { defineFunction, wireError } from '@contractor/plugin'
import { z } from 'zod'
import { tasks } from './tasks.ts'

/** An agent's slot is never held for longer: a long wait is several Tasks, and other work comes in between. */
const sliceMs = 20_000

/** Templates give texts, so a number may be one. */
const portArgument = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(port)

const state = z.object({
  target,
  port,
  timeoutMs: z.number().int().min(0),
  delayMs: z.number().int().min(1),
  /** The time that answered Tasks have waited. Time in which no agent was there to look does not count. */
  waitedMs: z.number().int(),
  /** Why the last attempt failed. */
  last: z.string().optional(),
  end: z.union([z.literal('open'), z.literal('timeout'), wireError]).optional(),
})
type State = z.output<typeof state>

const sliceOf = ({ timeoutMs, waitedMs }: State) => Math.min(sliceMs, timeoutMs - waitedMs)

export const waitForPort = defineFunction({
  description: 'Waits until a TCP port accepts connections. Not within the timeout: an error that can be reset.',
  args: z.object({
    target,
    port: portArgument,
    timeout: z.number().min(0).default(300),
    delay: z.number().min(0).default(1),
  }),
  state,
  result: z.literal(true),
  idempotent: true,
  start: ({ target, port, timeout, delay }) => ({
    target,
    port,
    timeoutMs: Math.round(timeout * 1000),
    delayMs: Math.max(1, Math.round(delay * 1000)),
    waitedMs: 0,
  }),
  request: current =>
    current.end === undefined
      ? tasks.wait_for_port.request({
          target: current.target,
          port: current.port,
          waitMs: sliceOf(current),
          delayMs: current.delayMs,
        })
      : undefined,
  receive: (current, reply) => {
    if (current.end !== undefined) return current
    if (reply.kind === 'failed') return { ...current, end: reply.error }
    if (reply.kind !== 'result') return current
    const { open, last } = tasks.wait_for_port.result.parse(reply.value)
    if (open) return { ...current, end: 'open' as const }
    // What was asked for counts, and not what a clock elsewhere says: so it comes to an end.
    const waitedMs = current.waitedMs + sliceOf(current)
    return { ...current, waitedMs, last, ...(waitedMs >= current.timeoutMs && { end: 'timeout' as const }) }
  },
  outcome: ({ end, target, port, timeoutMs, last }) => {
    if (end === undefined) return { kind: 'pending' }
    if (end === 'open') return { kind: 'done', value: true as const }
    if (end !== 'timeout') return { kind: 'error', message: end.message }
    return {
      kind: 'error',
      message: `Port ${port} of ${target} did not open within ${timeoutMs / 1000} s (last: ${last})`,
    }
  },
  message: ({ target, port, timeoutMs, waitedMs, last }) =>
    `Waiting for port ${port} of ${target}${last === undefined ? '' : ` (${waitedMs / 1000} of ${timeoutMs / 1000} s, last: ${last})`}`,
})
