import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@contractor/contract/primitives'
import { isContractorError } from '@contractor/contract/primitives'
import type { FoundationContext, FunctionContext, Reply } from '../define-function.ts'
import type { HandlerModule } from '../define-handlers.ts'
import { type AnyTasks, defineFoundation, defineModule, type FunctionPlugin } from '../define-plugin.ts'
import type { TaskDefinition } from '../define-task.ts'
import { findEntryImports } from './entry-imports.ts'
import {
  after,
  answersTo,
  awaited,
  checkFields,
  exampleNow,
  isFinished,
  type Point,
  type WalkedFunction,
  walk,
} from './function-walk.ts'
import { createHandlerContext } from './handler-context.ts'

/** One law. `run` resolves when the plugin keeps it, and rejects with what breaks it and where. */
export interface PluginLaw {
  readonly name: string
  run(): Promise<void>
}

export interface PluginLawOptions {
  /** Example arguments of each function, as scripts give them. A function that needs none can do without. */
  args?: Readonly<Record<string, readonly Readonly<Record<string, Json>>[]>>
  /** Example answers of each Task, good and bad: those that a function needs to come to its end. */
  replies?: Readonly<Record<string, readonly Json[]>>
  /** The fields of the Foundation that functions are called for. */
  fields?: Readonly<Record<string, Json>>
  /** The fields of the Complex that provides it, where its type declares one. */
  complexFields?: Readonly<Record<string, Json>>
  /** The target's config, for functions and values that read it. */
  config?: Readonly<Record<string, Json>>
  /** The source file of the plugin's `.` entry, to see what it imports. */
  entry?: URL
  /** Tasks whose handlers may be called here, with parameters: only with a signal that is aborted already. */
  abortable?: Readonly<Record<string, Json>>
}

/** How long a handler may take to notice a signal that was aborted before it began. */
const promptMs = 1000

/**
 * The laws that every plugin keeps, for any test runner:
 *
 *     for (const law of pluginLaws(docker, handlers, { args, replies })) it(law.name, law.run)
 *
 * Each function is walked through all states that its example answers lead to, and every state is tried with all that may
 * reach it there, malformed answers among it. Laws about handlers are there when handlers are given, and the law about
 * imports when `entry` is. That handlers keep nothing between calls cannot be tested from outside: it stays a rule.
 */
export function pluginLaws(
  plugin: FunctionPlugin,
  handlers?: HandlerModule,
  options: PluginLawOptions = {},
): PluginLaw[] {
  const functions = Object.keys(functionsOf(plugin))
  return [
    law('its definitions are legal', () => checkDefinitions(plugin, options)),
    ...functions.flatMap(name => functionLaws(plugin, name, options)),
    ...valueLaws(plugin, options),
    ...lookLaws(plugin, options),
    ...(handlers ? handlerLaws(plugin, handlers, options) : []),
    ...(options.entry ? [entryLaw(options.entry)] : []),
  ]
}

function law(name: string, run: () => void | Promise<void>): PluginLaw {
  return { name, run: async () => run() }
}

function checkDefinitions(plugin: FunctionPlugin, options: PluginLawOptions): void {
  if (plugin.kind === 'foundation') {
    defineFoundation(plugin)
  } else defineModule({ ...plugin, name: plugin.module })
  for (const name of [...Object.keys(options.args ?? {})])
    assert(Object.hasOwn(functionsOf(plugin), name), `options.args names '${name}', which is no function`)
  const tasks: AnyTasks = plugin.tasks
  for (const [name, replies] of Object.entries(options.replies ?? {})) {
    assert(Object.hasOwn(tasks, name), `options.replies names '${name}', which is no Task`)
    for (const reply of replies) {
      const parsed = tasks[name]?.result.safeParse(reply)
      assert(parsed?.success, `options.replies: Task '${name}' does not answer so: ${parsed?.error}`)
    }
  }
  for (const [name, { args }] of Object.entries(functionsOf(plugin)))
    for (const argument of Object.keys(args.shape))
      assert.match(argument, /^[a-zA-Z][a-zA-Z0-9_]*$/, `${name}: no script can write the argument '${argument}'`)
}

function functionLaws(plugin: FunctionPlugin, name: string, options: PluginLawOptions): PluginLaw[] {
  const definition = functionsOf(plugin)[name]
  if (!definition) return []
  const called: WalkedFunction = { name, plugin, definition, repliesOf: task => options.replies?.[task] ?? [] }
  const points = () => walkFromStart(called, options)
  const laws = [
    law(`${name}: state is JSON, request and outcome are pure, at every point`, () => void points()),
    law(`${name}: can be done`, () => {
      const reached = points().map(({ outcome }) => outcome.kind)
      assert(
        reached.includes('done'),
        `${name}: no example leads to 'done', only to ${[...new Set(reached)].join(', ')}`,
      )
    }),
    law(`${name}: malformed answers end well`, () => {
      for (const point of points()) for (const reply of malformed(called, point)) checkReply(called, point, reply)
    }),
  ]
  if (definition.rollback) {
    laws.push(
      law(`${name}: its rollback ends well, from every point`, () => {
        for (const point of points()) {
          const undoing = walk(called, `${point.path} → rollback`, definition.rollback?.(point.state), point.now)
          assert(undoing.some(isFinished), `${name} at ${point.path}: its rollback comes to no end`)
        }
      }),
    )
  }
  if (definition.undo) {
    laws.push(
      law(`${name}: its undo ends done, once it was done`, () => {
        for (const point of points().filter(({ outcome }) => outcome.kind === 'done')) {
          const undoing = walk(called, `${point.path} → undo`, definition.undo?.(point.state), point.now)
          const isDone = undoing.some(({ outcome }) => outcome.kind === 'done' || outcome.kind === 'undone')
          assert(isDone, `${name} at ${point.path}: no example leads its undo to its end`)
        }
      }),
    )
  }
  if (definition.observe) {
    laws.push(
      law(`${name}: what it observes after a lost answer ends well, at every point`, () => {
        for (const point of points()) if (point.request) checkObserve(called, point)
      }),
    )
  }
  return laws
}

/** All functions, those that scripts call by the module's name among them. */
const functionsOf = (plugin: FunctionPlugin) => ({
  ...plugin.functions,
  ...(plugin.kind === 'foundation' && plugin.moduleFunctions),
})

/** What scripts read of a Foundation is there, and what they may set can be set to what is there. */
function valueLaws(plugin: FunctionPlugin, options: PluginLawOptions): PluginLaw[] {
  if (plugin.kind !== 'foundation') return []
  const { config = {} } = options
  return Object.entries(plugin.values).map(([name, value]) =>
    law(`${name}: can be read, and set where it may be`, () => {
      const { foundation } = exampleContext(plugin, options)
      const structure = {
        config: (key: string) => {
          assert(value.readsConfig, `${name}: asks for the config without saying so, by readsConfig`)
          return Object.hasOwn(config, key) ? config[key] : undefined
        },
      }
      const read = value.get(foundation, structure)
      assert(isDeepStrictEqual(JSON.parse(JSON.stringify(read)), read), `${name}: is no JSON`)
      if (value.set) checkFields(`${name}, set`, plugin, value.set(read, foundation))
    }),
  )
}

/** What a Foundation type says of what is there fits its fields, and asks for what its handlers do. */
function lookLaws(plugin: FunctionPlugin, options: PluginLawOptions): PluginLaw[] {
  if (plugin.kind !== 'foundation') return []
  const { read, discover } = plugin
  const repliesOf = (task: string) => options.replies?.[task] ?? []
  const foundation = () => exampleContext(plugin, options).foundation
  const ask = (what: string, task: TaskDefinition, params: unknown): readonly Json[] => {
    assert(plugin.tasks[task.name] === task, `${what}: asks for '${task.name}', which is no Task of the plugin`)
    const parsed = task.params.safeParse(params)
    assert(parsed.success, `${what}: asks for '${task.name}' with parameters that it refuses: ${parsed.error}`)
    assert(
      repliesOf(task.name).length > 0,
      `${what}: no example answer of Task '${task.name}'; give one in options.replies`,
    )
    return repliesOf(task.name).map(reply => task.result.parse(reply) as Json)
  }
  return [
    ...(read
      ? [
          law('what it reads fits its fields', () => {
            for (const reply of ask('read', read.task, read.params(foundation()))) {
              const { fields = {} } = read.seen(reply)
              checkFields(`read, given ${JSON.stringify(reply)}`, plugin, fields)
            }
          }),
        ]
      : []),
    ...(discover
      ? [
          law('what it discovers could be made', () => {
            for (const name of discover.identity ?? [])
              assert(Object.hasOwn(plugin.fields.shape, name), `discover: its identity '${name}' is no field`)
            const { complex } = foundation()
            for (const reply of ask(
              'discover',
              discover.task,
              discover.params({ site: 'lab', ...(complex && { complex }) }),
            )) {
              for (const { locator, fields } of discover.found(reply)) {
                assert.match(locator, /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/, `discover: '${locator}' cannot be a locator`)
                const parsed = plugin.fields.safeParse(fields)
                assert(parsed.success, `discover: the fields of '${locator}' are not valid: ${parsed.error}`)
              }
            }
          }),
        ]
      : []),
  ]
}

function walkFromStart(called: WalkedFunction, options: PluginLawOptions): Point[] {
  const { definition, name, plugin } = called
  const examples = options.args?.[name] ?? [{}]
  return examples.flatMap((example, index) => {
    const args = definition.args.safeParse(example)
    assert(args.success, `${name}: refuses example ${index + 1} of its arguments; see options.args: ${args.error}`)
    const start = definition.start(args.data, exampleContext(plugin, options, definition.readsConfig))
    return walk(called, `start(${JSON.stringify(example)})`, start)
  })
}

function exampleContext(plugin: FunctionPlugin, options: PluginLawOptions, readsConfig = false): FunctionContext {
  const type = plugin.kind === 'foundation' ? plugin.type : 'Example'
  return {
    now: exampleNow,
    callId: 'call-1',
    foundation: {
      ...{ locator: 'example', type, site: 'lab', state: 'located' as const, fields: exampleFields(plugin, options) },
      ...exampleComplex(plugin, options),
    },
    structure: { id: 1, hostname: 'example', site: 'lab', configUuid: '00000000-0000-4000-8000-000000000000' },
    config(name) {
      assert(readsConfig, 'asks for the config without saying so, by readsConfig')
      return options.config && Object.hasOwn(options.config, name) ? options.config[name] : undefined
    },
  }
}

function exampleComplex(plugin: FunctionPlugin, options: PluginLawOptions): Pick<FoundationContext, 'complex'> {
  if (plugin.kind !== 'foundation' || !plugin.complex) return {}
  const fields = plugin.complex.fields.safeParse(options.complexFields ?? {})
  assert(fields.success, `The example fields of its Complex are not valid; see options.complexFields: ${fields.error}`)
  return { complex: { name: 'example-complex', type: plugin.complex.type, site: 'lab', fields: fields.data } }
}

/** As the engine keeps them: with their defaults. */
function exampleFields(plugin: FunctionPlugin, options: PluginLawOptions): Readonly<Record<string, unknown>> {
  if (plugin.kind !== 'foundation') return {}
  const fields = plugin.fields.safeParse(options.fields ?? {})
  assert(fields.success, `The example fields are not valid; see options.fields: ${fields.error}`)
  return fields.data
}

/** Answers that no handler gives, where an answer is awaited. */
function malformed({ definition }: WalkedFunction, { now, outcome, request }: Point): Reply[] {
  if (outcome.kind !== 'pending' || !request) return []
  const values: Json[] = [null, true, -1, 'nonsense', [], {}, { nonsense: { deep: [1] } }]
  return values.flatMap((value): Reply[] => [
    { now, kind: 'result', value },
    ...(definition.observe ? [{ now, kind: 'observed', value } as const] : []),
  ])
}

function checkReply(called: WalkedFunction, point: Point, reply: Reply): void {
  try {
    after(called, point, reply)
  } catch (error) {
    if (isRefusal(error)) return
    if (error instanceof assert.AssertionError) throw error
    const at = `${called.name} at ${point.path}, given ${JSON.stringify(reply)}`
    throw new Error(`${at}: threw ${error}`, { cause: error })
  }
}

/** A malformed reply may be refused; anything else that is thrown is a defect. */
function isRefusal(error: unknown): boolean {
  return (
    isContractorError(error) || (error instanceof Error && (error.name === 'ZodError' || error.name === '$ZodError'))
  )
}

function checkObserve(called: WalkedFunction, point: Point): void {
  const look = () => called.definition.observe?.(point.state)
  const request = look()
  assert(request, `${called.name} at ${point.path}: its observe asks for nothing`)
  assert(isDeepStrictEqual(look(), request), `${called.name} at ${point.path}: its observe is not pure`)
  for (const value of answersTo(called, request)) {
    const next = after(called, point, { now: point.now, kind: 'observed', value })
    const goesOn = awaited(called, next).length > 0
    assert(goesOn || isFinished(next), `${called.name} at ${next.path}: neither goes on nor ends`)
  }
}

function handlerLaws(plugin: FunctionPlugin, handlers: HandlerModule, options: PluginLawOptions): PluginLaw[] {
  const tasks: AnyTasks = plugin.tasks
  const aborted = AbortSignal.abort(new Error('aborted'))
  const run = (task: string, params: unknown) => handlers.run(task, params, createHandlerContext({ signal: aborted }))
  return [
    law('there is a handler for every Task, and no other', () => {
      assert.equal(handlers.module, plugin.module, 'the handlers are of another module')
      assert.deepEqual([...handlers.functions].sort(), Object.keys(tasks).sort())
    }),
    law('handlers refuse a Task that there is not', async () => {
      await assert.rejects(run('no_such_task', {}), isRefusal)
    }),
    ...Object.entries(tasks).map(([name, { params }]) =>
      law(`the handler of ${name} refuses malformed parameters`, async () => {
        const values: Json[] = [null, 'nonsense', -1, [], {}, { nonsense: true }]
        for (const value of values.filter(candidate => !params.safeParse(candidate).success))
          await assert.rejects(run(name, value), isRefusal, `${name} took ${JSON.stringify(value)}`)
      }),
    ),
    ...Object.entries(options.abortable ?? {}).map(([name, params]) =>
      law(`the handler of ${name} stops at once when it is aborted`, async () => {
        assert(Object.hasOwn(tasks, name), `options.abortable names '${name}', which is no Task`)
        await assert.rejects(promptly(run(name, params), name))
      }),
    ),
  ]
}

async function promptly(work: Promise<unknown>, name: string): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(resolve, promptMs, 'late')
  })
  const end = await Promise.race([work, late]).finally(() => clearTimeout(timer))
  // Not a rejection, which would count as having stopped.
  if (end === 'late') return `${name} is still running ${promptMs} ms after it was aborted`
  return end
}

function entryLaw(entry: URL): PluginLaw {
  return law('its entry imports nothing but zod, @contractor/plugin and @contractor/driver', () => {
    const pure = ['zod', '@contractor/plugin', '@contractor/driver']
    const others = findEntryImports(entry).filter(({ specifier }) => !pure.includes(specifier))
    assert.deepEqual(others, [])
  })
}
