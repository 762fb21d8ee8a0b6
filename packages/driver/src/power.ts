import {
  type AnyFunction,
  defineFunction,
  defineTaskFunction,
  type FunctionContext,
  type Outcome,
  pollUntil,
  type Reply,
  type TaskDefinition,
  type WireError,
} from '@contractor/plugin'
import { z } from 'zod'

/**
 * Power, the same for every type that has it. A change is asked for, and then it is looked until several readings in a row
 * agree: devices report what was asked for before it is so, and some change their mind. An attempt that has not come to that
 * in its time is made again; switching off asks the operating system first, and then does it. After the last attempt the Job
 * stops, and says what was read. That an answer was lost does no harm: what is so already is not asked for again.
 */

export const powerState = z.enum(['on', 'off', 'unknown'])
export type PowerState = z.output<typeof powerState>

/** `soft` asks the operating system to shut down; `reset` restarts at once what is on. */
export const powerAction = z.enum(['on', 'off', 'soft', 'reset'])
export type PowerAction = z.output<typeof powerAction>

/** The answer to a change: how it was before, and whether the device was asked to change. */
export const powerAnswer = z.object({ state: powerState, sent: z.boolean() })

/** Which state an action leads to. */
const aimOf = (action: PowerAction): 'on' | 'off' => (action === 'on' || action === 'reset' ? 'on' : 'off')

/** Whether there is nothing to do for it: it is so already. */
const isDone = (action: PowerAction, state: PowerState): boolean => action !== 'reset' && state === aimOf(action)

/** The two Tasks that these functions ask for, for a driver's `defineTasks`; `connection` is what leads to the device. */
export function powerTasks<Shape extends z.ZodRawShape, Rules extends object>(
  connection: z.ZodObject<Shape>,
  rules: Rules,
) {
  return {
    set_power: {
      description: 'Reads the power state, and asks for a change where there is one to ask for',
      params: connection.extend({ action: powerAction }),
      result: powerAnswer,
      ...rules,
    },
    power_state: {
      description: 'Reads the power state',
      params: connection,
      result: z.object({ state: powerState }),
      ...rules,
    },
  }
}

export interface PowerOptions<Context extends FunctionContext<unknown, unknown>> {
  // biome-ignore lint/suspicious/noExplicitAny: a connection's own shape is known to its driver alone
  tasks: { set_power: TaskDefinition<any, typeof powerAnswer>; power_state: TaskDefinition<any, any> }
  /** What leads to the device. */
  connection(context: Context): unknown
  /** How often a change is asked for; 6 unless said. */
  attempts?: number
  /** How often switching off asks the operating system first; 2 unless said. */
  softAttempts?: number
  /** How long an attempt has, in milliseconds: 60 s for one that asks the operating system, and 30 s for others, unless said. */
  softMs?: number
  hardMs?: number
  /** From one reading to the next, in milliseconds; 2 s unless said. */
  everyMs?: number
  /** How many readings in a row have to agree after a change; 3 unless said. */
  agreeing?: number
  /** What an attempt too many leads to: an error, or a pause for an operator, who resumes it. */
  exhausted: 'error' | 'paused'
}

const state = z.object({
  connection: z.unknown(),
  /** What is to be reached one after the other: one state, or off and then on. */
  aims: z.array(z.enum(['on', 'off'])),
  /** The attempts that ask the operating system; what else there is to know was declared. */
  softAttempts: z.number().int(),
  attempt: z.number().int(),
  /** Absent before the change was asked for: until when it is looked, in milliseconds since the epoch. */
  untilMs: z.number().optional(),
  /** When it is asked or looked next; absent while a Task is out. */
  nextMs: z.number().optional(),
  agreed: z.number().int(),
  seen: z.string().optional(),
  end: z.union([z.object({ exhausted: z.literal(true) }), z.object({ failed: z.string() })]).optional(),
})
type State = z.output<typeof state>

/** `power_on`, `power_off`, `power_cycle`, `power_reset`, `power_state` and `wait_for_poweroff`. */
export function definePower<Context extends FunctionContext<unknown, unknown> = FunctionContext>(
  options: PowerOptions<Context>,
) {
  const { tasks, attempts = 6, softAttempts = 2, softMs = 60_000, hardMs = 30_000, everyMs = 2000 } = options
  const { agreeing = 3, exhausted } = options
  const connectionOf = (context: FunctionContext) => options.connection(context as unknown as Context)
  const actionOf = ({ aims, attempt, softAttempts: soft }: State): PowerAction => {
    const [aim = 'on'] = aims
    return aim === 'off' && attempt <= soft ? 'soft' : aim
  }
  const verbs = { on: 'Switching it on', off: 'Switching it off', soft: 'Shutting it down', reset: 'Resetting it' }
  const text = (current: State) => {
    const count = current.attempt > 1 ? `, attempt ${current.attempt} of ${attempts}` : ''
    return `${verbs[actionOf(current)]}${count}${current.seen === undefined ? '' : ` (last: ${current.seen})`}`
  }

  const again = (current: State, now: number, seen: string): State => {
    const { untilMs: _, ...rest } = { ...current, seen, agreed: 0 }
    if (current.attempt >= attempts) return { ...rest, end: { exhausted: true } }
    return { ...rest, attempt: current.attempt + 1, nextMs: now + everyMs }
  }
  /** One aim is reached: the next one begins at once. */
  const reached = (current: State): State => {
    const { untilMs: _, nextMs: __, ...rest } = current
    return { ...rest, aims: current.aims.slice(1), attempt: 1, agreed: 0 }
  }
  const look = (current: State, now: number, seen: string): State => {
    if (seen === current.aims[0]) {
      const agreed = current.agreed + 1
      return agreed >= agreeing ? reached(current) : { ...current, seen, agreed, nextMs: now + everyMs }
    }
    if (current.untilMs !== undefined && now >= current.untilMs) return again(current, now, seen)
    return { ...current, seen, agreed: 0, nextMs: now + everyMs }
  }
  const asked = (current: State, reply: Reply & { kind: 'result' }): State => {
    const { state: was, sent } = powerAnswer.parse(reply.value)
    if (!sent && was === current.aims[0]) return reached({ ...current, seen: was })
    const limitMs = actionOf(current) === 'soft' ? softMs : hardMs
    return { ...current, seen: was, agreed: 0, untilMs: reply.now + limitMs, nextMs: reply.now + everyMs }
  }
  const failed = (current: State, now: number, { message, retryable }: WireError): State => {
    if (!retryable) return { ...current, end: { failed: message } }
    return current.untilMs === undefined ? again(current, now, message) : look(current, now, message)
  }

  const change = (description: string, aims: State['aims']): AnyFunction =>
    defineFunction({
      description,
      args: aims.includes('off') ? z.object({ hard: z.boolean().default(false) }) : z.object({}),
      state,
      result: z.null(),
      idempotent: true,
      start: (args, context: FunctionContext) => ({
        connection: tasks.power_state.params.parse(connectionOf(context)),
        aims,
        softAttempts: 'hard' in args && args.hard ? 0 : softAttempts,
        attempt: 1,
        agreed: 0,
      }),
      request(current) {
        const { connection, untilMs, nextMs, end } = current
        if (nextMs !== undefined || end || !current.aims.length) return undefined
        if (untilMs !== undefined) return tasks.power_state.request(connection)
        return tasks.set_power.request({ ...(connection as object), action: actionOf(current) })
      },
      receive(current, reply) {
        if (reply.kind === 'timer') return { ...current, nextMs: undefined }
        if (reply.kind === 'resumed') return { ...current, attempt: 1, end: undefined, nextMs: undefined }
        if (reply.kind === 'failed') return failed(current, reply.now, reply.error)
        if (reply.kind !== 'result') return current
        if (current.untilMs === undefined) return asked(current, reply)
        return look(current, reply.now, z.object({ state: powerState }).parse(reply.value).state)
      },
      outcome(current): Outcome<null> {
        const { end, nextMs } = current
        if (!current.aims.length) return { kind: 'done', value: null }
        if (!end) return nextMs === undefined ? { kind: 'pending' } : { kind: 'pending', wakeAt: nextMs }
        if ('failed' in end) return { kind: 'error', message: `${text(current)}: ${end.failed}` }
        const message = `It is not ${current.aims[0]} after ${attempts} attempts (last: ${current.seen ?? 'nothing'})`
        if (exhausted === 'error') return { kind: 'error', message }
        return { kind: 'paused', message: `${message}. Resume the Job to try again` }
      },
      message: text,
    })

  return {
    power_on: change('Switches it on, and reads that it is. On already: nothing is sent.', ['on']),
    power_off: change(
      'Asks the operating system to shut down, twice, unless hard; then switches it off. Off already: nothing is sent.',
      ['off'],
    ),
    power_cycle: change('Switches it off as power_off does, and on again; what is off is switched on.', ['off', 'on']),
    power_reset: defineTaskFunction({
      description:
        'Restarts at once what is on. It cannot be seen whether that was done: it is never repeated unasked.',
      args: z.object({}),
      task: tasks.set_power,
      params: (_args, context: FunctionContext) => ({ ...(connectionOf(context) as object), action: 'reset' }),
      result: z.null(),
      value: () => null,
      message: () => verbs.reset,
    }) as AnyFunction,
    power_state: defineTaskFunction({
      description: 'Reads the power state: on, off or unknown.',
      args: z.object({}),
      task: tasks.power_state,
      params: (_args, context: FunctionContext) => connectionOf(context),
      result: powerState,
      value: reply => z.object({ state: powerState }).parse(reply).state,
      message: () => 'Reading the power state',
      idempotent: true,
    }) as AnyFunction,
    wait_for_poweroff: pollUntil({
      description:
        'Waits until it is off, by readings in a row that agree. Not within the timeout, in seconds: an error that can be reset.',
      args: z.object({ timeout: z.number().min(0).default(86_400) }),
      task: tasks.power_state,
      params: (_args, context: FunctionContext) => connectionOf(context),
      result: z.null(),
      until: reply => {
        const { state: seen } = z.object({ state: powerState }).parse(reply)
        return seen === 'off' ? { done: null } : { waiting: `it is ${seen}` }
      },
      everyMs,
      timeoutMs: ({ timeout }) => timeout * 1000,
      agreeing,
      message: () => 'Waiting for it to be off',
    }) as AnyFunction,
  }
}

/** What a driver's handler of `set_power` does: it reads, and sends only what there is to send. */
export async function changePower(
  action: PowerAction,
  device: { read(): Promise<PowerState>; send(action: PowerAction): Promise<void> },
): Promise<z.output<typeof powerAnswer>> {
  const before = await device.read()
  // To restart or shut down what is off is no change; to restart it would switch it on.
  if (isDone(action, before) || (action === 'reset' && before === 'off')) return { state: before, sent: false }
  await device.send(action)
  return { state: before, sent: true }
}
