import { defineFoundation, defineRead, defineTaskFunction, type FunctionContext, pollUntil } from '@contractor/plugin'
import { z } from 'zod'
import { tasks } from './tasks.js'

/** The type's own columns: checked on every write, and readable in scripts as `foundation.file`, `foundation.on`. */
const fields = z.object({
  file: z.string().startsWith('/').describe('The file that stands in for the lamp, on the agent’s machine'),
  on: z.boolean().default(false).describe('Whether it is on, as of the last time that it was switched'),
})
type Context = FunctionContext<z.output<typeof fields>>

const switchTo = (on: boolean) =>
  defineTaskFunction({
    description: `Switches it ${on ? 'on' : 'off'}. So already: nothing happens.`,
    args: z.object({}),
    task: tasks.turn,
    params: (_args, { foundation }: Context) => ({ file: foundation.fields.file, on }),
    result: z.boolean().describe('Whether it was switched now'),
    value: reply => reply.changed,
    fields: () => ({ on }),
    message: () => `Switching it ${on ? 'on' : 'off'}`,
    // Doing it twice is the same as once. For what is not, say how to look: `observe`.
    idempotent: true,
  })

const waitForOn = pollUntil({
  description: 'Waits until it is on. Not within the timeout, in seconds: an error that can be reset.',
  args: z.object({ timeout: z.number().min(0).default(60) }),
  task: tasks.look,
  params: (_args, { foundation }: Context) => ({ file: foundation.fields.file }),
  result: z.literal(true),
  until: reply => (reply.on ? { done: true as const } : { waiting: reply.exists ? 'it is off' : 'there is none' }),
  everyMs: 2000,
  timeoutMs: ({ timeout }) => timeout * 1000,
  message: ({ file }) => `Waiting for ${file} to be on`,
})

/** Scripts say `foundation.switch_on()`, `foundation.switch_off()` and `foundation.wait_for_on()`. */
export const lamp = defineFoundation({
  type: 'Lamp',
  classes: ['Lamp'],
  fields,
  tasks,
  read: defineRead({
    task: tasks.look,
    params: (foundation: Context['foundation']) => ({ file: foundation.fields.file }),
    seen: reply => ({ exists: reply.exists, fields: { on: reply.on } }),
  }),
  functions: { switch_on: switchTo(true), switch_off: switchTo(false), wait_for_on: waitForOn },
})
