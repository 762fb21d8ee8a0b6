import { defineTasks } from '@contractor/plugin'
import { z } from 'zod'

/** A host name or an IP address. It cannot begin with a dash, and so never is an option of a command. */
export const target = z
  .string()
  .max(253)
  .regex(/^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/, 'must be a host name or an IP address')

export const port = z.number().int().min(1).max(65535)

export const tasks = defineTasks({
  ping: {
    description: 'Sends ICMP echo requests, one a second',
    params: z.object({ target, count: z.number().int().min(1).max(20) }),
    result: z.object({ answered: z.boolean() }),
    timeoutMs: ({ count }) => count * 1000 + 30_000,
  },
  wait_for_port: {
    description: 'Tries to connect again and again, for one slice of the whole wait',
    params: z.object({
      target,
      port,
      /** At least one attempt is made, also in no time. */
      waitMs: z.number().int().min(0).max(60_000),
      delayMs: z.number().int().min(1),
    }),
    /** `last`: why the last attempt failed. */
    result: z.object({ open: z.boolean(), last: z.string() }),
    timeoutMs: ({ waitMs }) => waitMs + 30_000,
  },
})
