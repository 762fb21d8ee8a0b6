import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineFunction, type FunctionContext, type FunctionDefinition } from '../define-function.ts'
import { defineHandlers, type HandlerModule } from '../define-handlers.ts'
import { defineFoundation, defineModule } from '../define-plugin.ts'
import { defineTasks } from '../define-task.ts'
import { defineTaskFunction } from '../define-task-function.ts'
import { type PluginLawOptions, pluginLaws } from './plugin-laws.ts'

const tasks = defineTasks({
  dig: { params: z.object({ depth: z.number() }), result: z.object({ found: z.string() }) },
  look: { params: z.object({}), result: z.object({ depth: z.number() }) },
})
const options: PluginLawOptions = {
  args: { dig: [{ depth: 2 }] },
  replies: { dig: [{ found: 'gold' }], look: [{ depth: 0 }, { depth: 2 }] },
}

/** A lawful function, written out so that each law can be broken in one place. */
const state = z.object({ depth: z.number(), found: z.string().optional(), error: z.string().optional() })
type State = z.output<typeof state>
type Definition = FunctionDefinition<z.ZodObject<{ depth: z.ZodNumber }>, typeof state, z.ZodString>

const lawful: Definition = {
  args: z.object({ depth: z.number() }),
  state,
  result: z.string(),
  start: ({ depth }) => ({ depth }),
  request: ({ depth, found, error }) => ((found ?? error) ? undefined : tasks.dig.request({ depth })),
  receive: (current, reply) => {
    if (current.found ?? current.error) return current
    if (reply.kind === 'failed') return { ...current, error: reply.error.message }
    return reply.kind === 'result' ? { ...current, found: tasks.dig.result.parse(reply.value).found } : current
  },
  outcome: ({ found, error }) => {
    if (error !== undefined) return { kind: 'error', message: error }
    return found === undefined ? { kind: 'pending' } : { kind: 'done', value: found }
  },
  message: ({ depth }) => `Digging ${depth} m deep`,
}

const moduleOf = (definition: Definition) =>
  defineModule({ name: 'garden', tasks, functions: { dig: defineFunction(definition) } })
const handlersOf = (dig = async () => ({ found: 'gold' })): HandlerModule =>
  defineHandlers(moduleOf(lawful), { dig, look: async () => ({ depth: 0 }) })

/** The laws that a plugin breaks, with what is said of it. */
async function broken(...given: Parameters<typeof pluginLaws>): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const { name, run } of pluginLaws(...given)) {
    try {
      await run()
    } catch (error) {
      found[name] = (error as Error).message
    }
  }
  return found
}

describe('a lawful plugin', () => {
  it('breaks no law', async () => {
    expect(await broken(moduleOf(lawful), handlersOf(), options)).toEqual({})
  })

  it('breaks none with a function of one Task, observation and rollback', async () => {
    const dig = defineTaskFunction({
      args: z.object({ depth: z.number() }),
      task: tasks.dig,
      params: args => args,
      result: z.string(),
      value: ({ found }) => found,
      observe: {
        task: tasks.look,
        params: () => ({}),
        conclude: ({ depth }, params) => (depth === params.depth ? { done: { found: 'gold' } } : { repeat: true }),
      },
    })
    const plugin = defineModule({
      name: 'garden',
      tasks,
      functions: { dig: { ...dig, rollback: ({ params }) => ({ params }) } },
    })
    expect(pluginLaws(plugin, handlersOf(), options).map(({ name }) => name)).toEqual([
      'its definitions are legal',
      'dig: state is JSON, request and outcome are pure, at every point',
      'dig: can be done',
      'dig: malformed answers end well',
      'dig: its rollback ends well, from every point',
      'dig: what it observes after a lost answer ends well, at every point',
      'there is a handler for every Task, and no other',
      'handlers refuse a Task that there is not',
      'the handler of dig refuses malformed parameters',
      'the handler of look refuses malformed parameters',
    ])
    expect(await broken(plugin, handlersOf(), options)).toEqual({})
  })
})

const everyPoint = 'dig: state is JSON, request and outcome are pure, at every point'
const replies = 'dig: malformed answers end well'
let asked = 0

describe('a function', () => {
  it.each<[string, Partial<Definition>, string, string]>([
    [
      'whose state is no JSON',
      { start: () => ({ depth: 1, when: new Date() }) as unknown as State },
      everyPoint,
      'its state is no JSON: state.when is a Date',
    ],
    [
      'whose state does not fit its schema',
      { start: () => ({ depth: 'two' }) as unknown as State },
      everyPoint,
      'its state does not fit its schema',
    ],
    [
      'whose request differs from time to time',
      {
        request: () => {
          asked += 1
          return tasks.dig.request({ depth: asked })
        },
      },
      everyPoint,
      'request is not pure: asked twice, it answers differently',
    ],
    [
      'whose outcome changes the state',
      {
        outcome: current => {
          current.depth += 1
          return { kind: 'pending' }
        },
      },
      everyPoint,
      'Cannot assign to read only property',
    ],
    ['that waits for nothing', { request: () => undefined }, everyPoint, 'waits for ever'],
    [
      'that asks for a Task that there is not',
      { request: () => ({ function: 'fly', params: {} }) },
      everyPoint,
      "asks for the Task 'fly', which the plugin does not declare",
    ],
    [
      'that asks with wrong parameters',
      { request: ({ found }) => (found ? undefined : { function: 'dig', params: {} }) },
      everyPoint,
      "asks for 'dig' with parameters that it refuses",
    ],
    [
      'whose value does not fit its schema',
      {
        outcome: ({ found }) => (found ? { kind: 'done', value: 1 as never } : { kind: 'pending' }),
        receive: () => ({ depth: 1, found: 'x' }),
      },
      everyPoint,
      'its value does not fit its result schema',
    ],
    [
      'that sets fields without having any',
      {
        outcome: ({ found }) => (found ? { kind: 'done', value: '', fields: { a: 1 } } : { kind: 'pending' }),
        receive: () => ({ depth: 1, found: 'x' }),
      },
      everyPoint,
      'sets fields, but a module has none',
    ],
    [
      'that counts for ever',
      { receive: ({ depth }) => ({ depth: depth + 1 }), outcome: () => ({ kind: 'pending' }) },
      everyPoint,
      'comes to no end',
    ],
    [
      'that only fails',
      { receive: () => ({ depth: 1, error: 'no' }) },
      'dig: can be done',
      "no example leads to 'done'",
    ],
    [
      'that a malformed reply breaks',
      {
        receive: (current, reply) =>
          reply.kind === 'result' && !current.found && !current.error
            ? { ...current, found: (reply.value as { found: string }).found.trim() }
            : (lawful.receive?.(current, reply) ?? current),
      },
      replies,
      'threw TypeError',
    ],
    [
      'whose rollback is stuck',
      { rollback: () => ({ depth: Number.NaN }) },
      'dig: its rollback ends well, from every point',
      'state.depth is NaN',
    ],
    [
      'whose undo cannot be done',
      { undo: ({ depth }) => ({ depth, error: 'it stays dug' }) },
      'dig: its undo ends done, once it was done',
      'no example leads its undo to its end',
    ],
    [
      'that observes with a Task that there is not',
      { observe: () => ({ function: 'guess', params: {} }) },
      'dig: what it observes after a lost answer ends well, at every point',
      "asks for the Task 'guess'",
    ],
  ])('%s is found', async (_, change, name, message) => {
    const found = await broken(moduleOf({ ...lawful, ...change }), undefined, options)
    expect(Object.keys(found)).toContain(name)
    expect(found[name]).toContain(message)
  })
})

describe('a Task', () => {
  const rules = (more: object) => {
    const own = defineTasks({ dig: { params: z.object({ depth: z.number() }), result: z.object({}), ...more } })
    const dig = { ...lawful, request: ({ depth, found }: State) => (found ? undefined : own.dig.request({ depth })) }
    return defineModule({ name: 'garden', tasks: own, functions: { dig: defineFunction(dig) } })
  }

  it.each([
    ['a time that is none', { timeoutMs: () => 0 }, "whose timeoutMs is not valid: ContractorError: Task 'dig'"],
    ['a limit without a key', { limit: () => ({ key: '' }) }, "whose limit is not valid: ContractorError: Task 'dig'"],
    ['a limit that shows a secret', { limit: () => ({ key: '\uF8F0pw=x\uF8F1' }) }, 'has a key with a secret in it'],
  ])('with %s is found', async (_, more, message) => {
    const found = await broken(rules(more), undefined, { ...options, replies: { dig: [{}] } })
    expect(found[everyPoint]).toContain(message)
  })
})

describe('a Foundation', () => {
  const fields = z.object({ address: z.string(), port: z.number().default(623) })
  const wake = defineTaskFunction({
    args: z.object({}),
    task: tasks.dig,
    params: (_, { foundation }: FunctionContext<z.output<typeof fields>>) => ({ depth: foundation.fields.port }),
    result: z.string(),
    value: ({ found }) => found,
  })
  const plugin = defineFoundation({ type: 'Digger', fields, tasks, functions: { wake } })

  it('is called for with its example fields, and their defaults', async () => {
    expect(await broken(plugin, undefined, { ...options, args: {}, fields: { address: 'a' } })).toEqual({})
  })

  it('whose example fields are none is told so', async () => {
    const found = await broken(plugin, undefined, { ...options, args: {}, fields: { port: 1 } })
    expect(found['wake: can be done']).toContain('The example fields are not valid; see options.fields')
  })
})

describe('handlers', () => {
  it('of another module are found', async () => {
    const found = await broken(moduleOf(lawful), { ...handlersOf(), module: 'kitchen' }, options)
    expect(found['there is a handler for every Task, and no other']).toContain('the handlers are of another module')
  })

  it('that take anything are found', async () => {
    const careless: HandlerModule = { ...handlersOf(), run: async () => ({ found: 'mud' }) }
    const found = await broken(moduleOf(lawful), careless, options)
    expect(found).toHaveProperty(['handlers refuse a Task that there is not'])
    expect(found['the handler of dig refuses malformed parameters']).toContain('dig took null')
  })

  it('that do not heed an aborted signal are found', async () => {
    const law = 'the handler of dig stops at once when it is aborted'
    const abortable = { ...options, abortable: { dig: { depth: 1 } } }
    expect(await broken(moduleOf(lawful), handlersOf(), abortable)).toHaveProperty([law])
  })
})

describe('examples', () => {
  it('that are missing or wrong are told', async () => {
    const found = await broken(moduleOf(lawful), undefined, { replies: { dig: [{ gold: true }] }, args: { fly: [{}] } })
    expect(found['its definitions are legal']).toContain("options.args names 'fly'")
    expect(found[everyPoint]).toContain('refuses example 1 of its arguments; see options.args')
    const none = await broken(moduleOf(lawful), undefined, { args: options.args ?? {} })
    expect(none[everyPoint]).toContain("no example answer of Task 'dig'; give one in options.replies")
  })
})

describe('an entry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-laws-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const law = 'its entry imports nothing but zod, @contractor/plugin and @contractor/driver'

  it.each([
    ["import { z } from 'zod'\nimport { \n  defineModule, \n } from '@contractor/plugin'\n", []],
    ["import type { Socket } from 'node:net'\nexport type { A } from 'a'\n// import 'b'\n/* import 'c' */\n", []],
    ["import net, { connect } from 'node:net'\n", ['node:net']],
    ["import 'side-effect'\nexport * from 'all'\nexport { a } from \"some\"\n", ['all', 'side-effect', 'some']],
    ["const sdk = () => import('sdk')\nconst old = require('old')\n", ['old', 'sdk']],
  ])('of %j loads %j', async (source, others) => {
    // As sources name each other, and as those do that are compiled.
    writeFileSync(join(folder, 'index.ts'), "export { a } from './a.js'\n")
    writeFileSync(join(folder, 'a.ts'), `import './index.ts'\n${source}`)
    const entry = pathToFileURL(join(folder, 'index.ts'))
    const found = await broken(moduleOf(lawful), undefined, { ...options, entry })
    if (others.length === 0) expect(found).toEqual({})
    for (const other of others) expect(found[law]).toContain(`specifier: '${other}'`)
  })
})
