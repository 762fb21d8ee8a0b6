import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@contractor/contract/primitives'
import { holdsSecret } from '@contractor/contract/primitives'
import type { AnyFunction, Outcome, Reply } from '../define-function.ts'
import type { AnyTasks, FunctionPlugin } from '../define-plugin.ts'
import type { TaskDefinition, TaskRequest } from '../define-task.ts'

/** A function of a plugin, with what it takes to walk through its states. */
export interface WalkedFunction {
  name: string
  plugin: FunctionPlugin
  definition: AnyFunction
  /** Example answers of a Task. */
  repliesOf(task: string): readonly Json[]
}

/** Where a call can be: a state as it would be kept, and what is asked and told in it. */
export interface Point {
  /** How it was reached, for messages. */
  path: string
  /** When, in milliseconds since the epoch: timers come at their moment, and answers take no time. */
  now: number
  kept: Json
  state: unknown
  request: TaskRequest | undefined
  outcome: Outcome
}

/** When calls begin here. */
export const exampleNow = Date.UTC(2026, 0, 1)

/** More states than this, and the call does not end. */
const mostPoints = 2000

/**
 * All points that can be reached from `kept` with the replies that are awaited there: example answers, a failure, the
 * timer that was asked for, a resumed pause with and without an answer. Each point is checked as it is reached.
 */
export function walk(called: WalkedFunction, path: string, start: unknown, now = exampleNow): Point[] {
  const points: Point[] = []
  const seen = new Set<string>()
  const open = [pointAt(called, path, start, now)]
  for (let point = open.shift(); point; point = open.shift()) {
    const key = JSON.stringify(point.kept)
    if (seen.has(key)) continue
    seen.add(key)
    points.push(point)
    assert(points.length <= mostPoints, `${called.name}: comes to no end, with ${mostPoints} different states`)
    for (const reply of awaited(called, point)) open.push(after(called, point, reply))
  }
  return points
}

/** The point that a reply leads to. */
export function after(called: WalkedFunction, point: Point, reply: Reply): Point {
  const { definition } = called
  const next = definition.receive ? definition.receive(point.state, reply) : point.state
  return pointAt(called, `${point.path} → ${describeReply(reply)}`, next, reply.now)
}

export function isFinished({ outcome }: Point): boolean {
  return outcome.kind === 'done' || outcome.kind === 'undone' || outcome.kind === 'error' || outcome.kind === 'aborted'
}

/** What a call in this state waits for. */
export function awaited(called: WalkedFunction, { outcome, request, now }: Point): Reply[] {
  if (outcome.kind === 'paused')
    return [
      { now, kind: 'resumed' },
      { now, kind: 'resumed', answer: 'yes' },
    ]
  if (outcome.kind !== 'pending') return []
  const replies: Reply[] = []
  if (outcome.wakeAt !== undefined) replies.push({ now: Math.max(now, outcome.wakeAt), kind: 'timer' })
  if (request) {
    for (const value of answersTo(called, request)) replies.push({ now, kind: 'result', value })
    replies.push({ now, kind: 'failed', error: { code: 'TASK_FAILED', message: 'It did not work', retryable: false } })
  }
  return replies
}

/** The example answers to a request; refuses a request that no handler of the plugin could be given. */
export function answersTo(called: WalkedFunction, request: TaskRequest): readonly Json[] {
  const { plugin, name } = called
  if (request.module === undefined || request.module === plugin.module) {
    const tasks: AnyTasks = plugin.tasks
    const task = Object.hasOwn(tasks, request.function) ? tasks[request.function] : undefined
    assert(task, `${name}: asks for the Task '${request.function}', which the plugin does not declare`)
    const params = task.params.safeParse(request.params)
    assert(params.success, `${name}: asks for '${request.function}' with parameters that it refuses: ${params.error}`)
    checkRules(`${name}: asks for '${request.function}'`, task, request.params)
  }
  const replies = called.repliesOf(request.function)
  assert(replies.length > 0, `${name}: no example answer of Task '${request.function}'; give one in options.replies`)
  return replies
}

function checkRules(what: string, task: TaskDefinition, params: Json): void {
  const say = (rule: string) => (error: unknown) => assert.fail(`${what}, whose ${rule} is not valid: ${error}`)
  const ask = <T>(rule: string, read: () => T): T => {
    try {
      return read()
    } catch (error) {
      return say(rule)(error) as never
    }
  }
  ask('timeoutMs', () => task.timeoutOf(params))
  const limit = ask('limit', () => task.limitOf(params))
  assert(
    !limit || !holdsSecret(limit.key),
    `${what}, whose limit has a key with a secret in it, which is no secret there`,
  )
}

/** The point of a state that `start`, `receive` or `rollback` gave. Holds what is true of every point. */
function pointAt(called: WalkedFunction, path: string, given: unknown, now: number): Point {
  const { definition, plugin, name } = called
  const at = `${name} at ${path}`
  const strange = findNonJson(given)
  assert(strange === undefined, `${at}: its state is no JSON: ${strange}`)
  const kept = JSON.parse(JSON.stringify(given)) as Json

  const own = definition.state.safeParse(given)
  assert(own.success, `${at}: its state does not fit its schema: ${own.error}`)
  const read = definition.state.safeParse(kept)
  assert(read.success, `${at}: its state does not fit its schema after it was kept as JSON: ${read.error}`)
  const state = deepFreeze(read.data)

  const ask = () => (definition.request ? definition.request(state) : undefined)
  const request = twice(`${at}: request`, state, ask)
  const outcome = twice(`${at}: outcome`, state, () => definition.outcome(state))
  const message = twice(`${at}: message`, state, () => definition.message?.(state))
  assert.deepEqual(
    definition.outcome(deepFreeze(own.data)),
    outcome,
    `${at}: its outcome differs after the state was kept as JSON`,
  )

  assert(message === undefined || message.trim() !== '', `${at}: its message is empty`)
  switch (outcome.kind) {
    case 'done': {
      const result = definition.result.safeParse(outcome.value)
      assert(result.success, `${at}: its value does not fit its result schema: ${result.error}`)
      const odd = findNonJson(result.data)
      assert(odd === undefined, `${at}: its value is no JSON: ${odd}`)
      if (outcome.fields) checkFields(at, plugin, outcome.fields)
      break
    }
    case 'undone':
      if (outcome.fields) checkFields(at, plugin, outcome.fields)
      break
    case 'pending':
      assert(
        request || outcome.wakeAt !== undefined,
        `${at}: waits for ever: it is pending, asks for nothing and names no wakeAt`,
      )
      break
    case 'paused':
    case 'error':
    case 'aborted':
      assert(outcome.message.trim() !== '', `${at}: is ${outcome.kind} without a message`)
  }
  return { path, now, kept, state, request, outcome }
}

export function checkFields(at: string, plugin: FunctionPlugin, fields: Readonly<Record<string, unknown>>): void {
  assert(plugin.kind === 'foundation', `${at}: sets fields, but a module has none`)
  for (const [field, value] of Object.entries(fields)) {
    const schema = Object.hasOwn(plugin.fields.shape, field) ? plugin.fields.shape[field] : undefined
    assert(schema, `${at}: sets the field '${field}', which the type does not have`)
    const parsed = schema.safeParse(value)
    assert(parsed.success, `${at}: sets the field '${field}' to what it may not be: ${parsed.error}`)
  }
}

/** Asked twice it answers the same, and leaves the state as it is. */
function twice<T>(what: string, state: unknown, ask: () => T): T {
  const before = JSON.stringify(state)
  const first = ask()
  assert(isDeepStrictEqual(ask(), first), `${what} is not pure: asked twice, it answers differently`)
  assert.equal(JSON.stringify(state), before, `${what} is not pure: it changes the state`)
  return first
}

/** Where a value is something that JSON would lose or change. A property that is undefined is one that is not there. */
export function findNonJson(value: unknown, path = 'state'): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path} is ${value}`
  if (Array.isArray(value)) return first(value.entries(), (item, index) => findNonJson(item, `${path}[${index}]`))
  if (typeof value !== 'object') return `${path} is ${typeof value}`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `${path} is a ${value.constructor.name}`
  return first(Object.entries(value), (item, key) =>
    item === undefined ? undefined : findNonJson(item, `${path}.${key}`),
  )
}

function first<K>(
  entries: Iterable<[K, unknown]>,
  find: (item: unknown, key: K) => string | undefined,
): string | undefined {
  for (const [key, item] of entries) {
    const found = find(item, key)
    if (found !== undefined) return found
  }
  return undefined
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}

function describeReply(reply: Reply): string {
  if (reply.kind === 'result' || reply.kind === 'observed') {
    const value = JSON.stringify(reply.value)
    return `${reply.kind} ${value.length > 60 ? `${value.slice(0, 60)}…` : value}`
  }
  return reply.kind
}
