import { secret, taskFailed } from '@contractor/contract'
import {
  type DiscoverScope,
  defineComplex,
  defineDiscover,
  defineFoundation,
  defineHandlers,
  defineRead,
  defineTasks,
  type FoundationContext,
} from '@contractor/plugin'
import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type DatabaseKind, databaseKinds, postgresKind } from '../../../test/databases.ts'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

const shelf = defineComplex({ type: 'Shelf', fields: z.object({ address: z.string(), key: secret() }) })
const fields = z.object({ code: z.string(), size: z.number().default(1) })
const boxOf = z.object({ code: z.string(), size: z.number() })
const tasks = defineTasks({
  look: {
    params: z.object({ code: z.string(), key: secret().optional() }),
    result: z.object({ box: boxOf.nullable() }),
  },
  list: { params: z.object({ address: z.string(), key: secret() }), result: z.object({ boxes: z.array(boxOf) }) },
})
type ShelfFields = z.output<typeof shelf.fields>
const box = defineFoundation({
  type: 'Box',
  fields,
  complex: shelf,
  tasks,
  functions: {},
  read: defineRead({
    task: tasks.look,
    params: (foundation: FoundationContext<z.output<typeof fields>, ShelfFields>) => ({
      code: foundation.fields.code,
      ...(foundation.complex && { key: foundation.complex.fields.key }),
    }),
    seen: reply => ({ exists: reply.box !== null, fields: reply.box ?? {}, details: { looked: true } }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['code'],
    params: ({ complex }: DiscoverScope<ShelfFields>) => ({
      address: complex?.fields.address ?? '',
      key: complex?.fields.key ?? '',
    }),
    found: reply => reply.boxes.map(one => ({ locator: `box-${one.code}`, fields: one })),
  }),
})

const boxes = [
  { code: 'a', size: 1 },
  { code: 'b', size: 7 },
]

async function open(kind: DatabaseKind, isStaffed = true) {
  const given: unknown[] = []
  const handlers = defineHandlers(box, {
    async look(params) {
      given.push(params)
      if (params.code === 'stuck') throw taskFailed('The door does not open')
      return { box: boxes.find(one => one.code === params.code) ?? null }
    },
    async list(params) {
      given.push(params)
      return { boxes }
    },
  })
  const shop = await openShop(kind, {
    plugins: [box, lathe],
    ...(isStaffed && { handlers: [handlers] }),
    secretKey: Buffer.alloc(32, 7).toString('base64'),
  })
  const { contractor } = shop
  await contractor.complexes.create({
    name: 's1',
    site: 'lab',
    type: 'Shelf',
    fields: { address: '10.0.0.1', key: 'hunter2' },
  })
  await contractor.blueprints.put({ kind: 'foundation', name: 'plain' })
  const make = (locator: string, code: string) =>
    contractor.foundations.create({
      ...{ type: 'Box', locator, site: 'lab', blueprint: 'plain', complex: 's1', fields: { code } },
    })
  return { shop, contractor, make, given }
}

describe.each(databaseKinds)('what is really there on $kind', kind => {
  it('is asked of an agent, and told with what has drifted', async () => {
    const { make, given } = await open(kind)
    expect(await (await make('one', 'a')).read()).toEqual({
      exists: true,
      fields: { code: 'a', size: 1 },
      differences: [],
      details: { looked: true },
    })
    expect(await (await make('two', 'b')).read()).toMatchObject({
      differences: [{ field: 'size', kept: 1, seen: 7 }],
    })
    expect(await (await make('three', 'c')).read()).toMatchObject({ exists: false, differences: [] })
    expect(given[0]).toEqual({ code: 'a', key: 'hunter2' })
  })

  it('and not ours is discovered, by what it is known by', async () => {
    const { contractor, make, given } = await open(kind)
    await make('anything', 'a')
    expect(await contractor.foundations.discover({ type: 'Box', complex: 's1' })).toEqual([
      { locator: 'box-b', fields: { code: 'b', size: 7 }, details: null },
    ])
    expect(given).toEqual([{ address: '10.0.0.1', key: 'hunter2' }])
  })
})

describe('an inquiry', () => {
  it('tells what the handler says, and what cannot be asked', async () => {
    const { contractor, make } = await open(postgresKind)
    await expect((await make('one', 'stuck')).read()).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: 'box.look: The door does not open',
    })
    await expect(contractor.foundations.discover({ type: 'Lathe', site: 'lab' })).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: "The Foundation type 'Lathe' has no way to discover what exists",
    })
    await expect(contractor.foundations.discover({ type: 'Box' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('ends when nobody answers, or nobody waits, and leaves nothing', async () => {
    const { shop, make } = await open(postgresKind, false)
    const one = await make('one', 'a')
    const waits = expect(one.read({ timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: expect.stringContaining("is an agent with the module 'box' at the Site 'lab', or above it?"),
    })
    const left = expect(one.read({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
    await left
    shop.clock.advance(5000)
    await waits
    expect(await shop.claim({ box: 10 })).toEqual([])
  })

  it('is another agent’s when one falls silent, and no late answer is taken', async () => {
    const { shop, contractor, make } = await open(postgresKind, false)
    const identity = { name: 'agent', sites: ['lab'], modules: ['box'] }
    const claim = async () => {
      for (;;) {
        const tasks = await contractor.dispatch.claim(identity, {
          agent: 'a',
          modules: { box: { slots: 1 } },
          waitMs: 0,
        })
        if (tasks[0]) return tasks[0]
        shop.clock.advance(2000)
      }
    }
    const reading = (await make('one', 'a')).read({ timeoutMs: 3_600_000 })
    const first = await claim()
    expect(first).toMatchObject({ function: 'look', attempt: 1, params: { code: 'a', key: 'hunter2' } })
    expect((await contractor.dispatch.renew(identity, [first]))[0]?.accepted).toBe(true)
    shop.clock.advance(10_001)
    const second = await claim()
    expect(second).toMatchObject({ taskId: first.taskId, attempt: 2 })
    const answer = (code: string, { taskId, claimToken }: typeof first) =>
      contractor.dispatch.results(identity, [{ taskId, claimToken, result: { box: { code, size: 1 } } }])
    expect((await answer('late', first))[0]?.accepted).toBe(false)
    expect((await answer('a', second))[0]?.accepted).toBe(true)
    expect(await reading).toMatchObject({ exists: true, fields: { code: 'a' } })
  })
})

describe('the laws', () => {
  const options = {
    fields: { code: 'a' },
    complexFields: { address: 'x', key: 'k' },
    replies: { look: [{ box: null }, { box: { code: 'a', size: 2 } }], list: [{ boxes: [{ code: 'z', size: 1 }] }] },
  }
  const broken = async (plugin: Parameters<typeof pluginLaws>[0]) => {
    const found: string[] = []
    for (const { name, run } of pluginLaws(plugin, undefined, options))
      await run().catch(error => found.push(`${name}: ${error.message}`))
    return found.join('\n')
  }

  it('are kept by such a type', async () => {
    expect(await broken(box)).toBe('')
  })

  it('find what is read that fits no field, and what is discovered that could not be made', async () => {
    const read = defineRead({
      task: tasks.look,
      params: () => ({ code: 'a' }),
      seen: () => ({ exists: true, fields: { colour: 'red' } }),
    })
    expect(await broken({ ...box, read })).toContain(
      'what it reads fits its fields: read, given {"box":null}: sets the field \'colour\'',
    )
    const discover = defineDiscover({
      task: tasks.list,
      params: () => ({ address: 'x', key: 'k' }),
      found: () => [{ locator: 'box/1', fields: { code: 'a' } }],
    })
    expect(await broken({ ...box, discover })).toContain("discover: 'box/1' cannot be a locator")
    expect(await broken({ ...box, discover: { ...discover, identity: ['colour'] } })).toContain(
      "its identity 'colour' is no field",
    )
  })
})
