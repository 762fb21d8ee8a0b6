import { defineTasks } from '@contractor/plugin'
import { z } from 'zod'

/** A file stands in for the lamp, so that there is one on every machine. */
const file = z.string().startsWith('/')

/** What agents are asked to do, and what they answer. */
export const tasks = defineTasks({
  look: {
    description: 'Looks whether it is on',
    params: z.object({ file }),
    result: z.object({ exists: z.boolean(), on: z.boolean() }),
    timeoutMs: 10_000,
  },
  turn: {
    description: 'Switches it on or off',
    params: z.object({ file, on: z.boolean() }),
    result: z.object({ changed: z.boolean() }),
    timeoutMs: 10_000,
    // Nothing is left behind by an attempt that failed: it may be tried again.
    retry: { attempts: 3, backoffMs: 1000 },
    // One hand at the switch at a time.
    limit: params => ({ key: `lamp ${params.file}`, atOnce: 1 }),
  },
})
