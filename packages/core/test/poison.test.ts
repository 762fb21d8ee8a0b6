import { randomBytes } from 'node:crypto'
import { type Json, secret } from '@contractor/contract'
import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import { defineFunction, defineModule, defineTaskFunction, defineTasks } from '@contractor/plugin'
import type { ClaimedTask } from '@contractor/plugin/wire'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createPostgresDatabase, databaseKinds, postgresKind } from '../../../test/databases.ts'
import { crane } from './crane.ts'
import { gauge, lathe } from './lathe.ts'
import { agent as base, openShop, type Shop } from './shop.ts'

/** What cannot be kept keeps nobody else from being kept. */
const agent = { ...base, modules: ['crane', 'lathe', 'gauge', 'bell'] }

/** So many Foundations whose create Jobs run this script, with what they ask of an agent. */
async function begin(script: string, names: string[], kind = postgresKind) {
  const shop = await openShop(kind, { plugins: [crane, lathe, gauge] })
  await order(shop, script, names)
  await shop.contractor.foreman.runDue()
  return { ...shop, claim: () => claimOf(shop) }
}

async function order({ contractor }: Pick<Shop, 'contractor'>, script: string, names: string[]) {
  const first = names[0]
  await contractor.scripts.put({ name: `make-${first}`, source: script })
  await contractor.blueprints.put({ kind: 'foundation', name: `made-${first}`, scripts: { create: `make-${first}` } })
  for (const locator of names) {
    const foundation = await contractor.foundations.create({
      type: 'Crane',
      locator,
      site: 'lab',
      blueprint: `made-${first}`,
    })
    await foundation.setLocated()
    await foundation.doCreate()
  }
}

const claimOf = ({ contractor }: Pick<Shop, 'contractor'>) =>
  contractor.dispatch.claim(agent, { agent: 'a', modules: { crane: { slots: 99 }, bell: { slots: 9 } }, waitMs: 0 })

const results = (tasks: readonly ClaimedTask[], result: (task: ClaimedTask, at: number) => Json) =>
  tasks.map((task, at) => ({ taskId: task.taskId, claimToken: task.claimToken, result: result(task, at) }))

const stateOf = async ({ contractor }: Pick<Shop, 'contractor'>, locator: string) => {
  const { items } = await contractor.jobs.list({ foundation: locator })
  return items[0]
}

describe.each(databaseKinds)('what an agent answers, on $kind', kind => {
  it.each([
    ['NUL', 'a\0b', 'a\ufffdb'],
    ['half a character', 'a\ud83d', 'a\ufffd'],
    ['the other half', '\ude00b', '\ufffdb'],
  ])('with %s in it is kept without that, and so are all others of its message', async (_, text, kept) => {
    const shop = await begin("foundation.say( load='x' )", ['one', 'two'], kind.kind === 'pglite' ? kind : postgresKind)
    const tasks = await shop.claim()
    const answers = results(tasks, (_task, at) => ({ lifted: at === 0 ? text : 'fine', [text]: 1 }))
    expect(await shop.contractor.dispatch.results(agent, answers)).toMatchObject([
      { accepted: true },
      { accepted: true },
    ])
    for (const name of ['one', 'two']) expect(await stateOf(shop, name)).toMatchObject({ state: 'done' })
    expect(await shop.contractor.foundations.get('one')).toMatchObject({ fields: { note: kept } })
  })
})

describe('what an agent says', () => {
  it('of a failure is kept without what cannot be', async () => {
    const shop = await begin("foundation.say( load='x' )", ['one', 'two'])
    const [one, two] = await shop.claim()
    const error = { code: 'BAD\0', message: `${'x'.repeat(3999)}\ud83d\ude00`, retryable: false }
    const wrong = { taskId: one?.taskId ?? 0, claimToken: one?.claimToken ?? '', error }
    await shop.contractor.dispatch.results(agent, [wrong, ...results([two as ClaimedTask], () => ({ lifted: 'y' }))])
    expect(await stateOf(shop, 'one')).toMatchObject({ state: 'error', reason: 'x'.repeat(3999) })
    expect(await stateOf(shop, 'two')).toMatchObject({ state: 'done' })
  })

  it('in a claim that none can be is refused, and all others are taken', async () => {
    const shop = await begin("foundation.say( load='x' )", ['one'])
    const [task] = await shop.claim()
    const { taskId, claimToken } = task as ClaimedTask
    const odd = [
      { taskId, claimToken: '\0' },
      { taskId, claimToken: '\ud800' },
      { taskId: 2 ** 70, claimToken },
      { taskId: 0.5, claimToken },
    ]
    const shown = [...odd, { taskId, claimToken }]
    expect((await shop.contractor.dispatch.renew(agent, shown)).map(one => one.accepted)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ])
    const said = shown.map(one => ({ ...one, result: { lifted: 'x' } }))
    expect((await shop.contractor.dispatch.results(agent, said)).map(one => one.accepted)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ])
  })
})

describe('what a plugin makes', () => {
  it('of a text that cannot be kept stops its own Job, which says so', async () => {
    const shop = await begin('x = foundation.garble()\nfoundation.say( load=x )', ['bad'])
    await order(shop, "foundation.say( load='x' )", ['good'])
    await shop.contractor.foreman.runDue()
    expect(await stateOf(shop, 'bad')).toMatchObject({
      state: expect.stringMatching(/error|aborted/),
      reason: expect.stringMatching(/half|kept|surrogate/),
    })
    expect(await shop.claim()).toHaveLength(1)
  })

  it('of a config value that cannot be kept stops its own Job where it was, and loses no answer', async () => {
    const { contractor, stack, claimOne, answer } = await openShop(undefined, { plugins: [lathe, gauge, stain] })
    const { foundation, structure } = await stack({ create: 'foundation.weld()\nstain.mark()' })
    const other = await stack({ create: 'foundation.oil()' }, 'other')
    for (const one of [foundation, other.foundation]) await one.setBuilt()
    const job = await structure.doCreate()
    const fine = await other.structure.doCreate()
    await contractor.foreman.runDue()
    for (let at = 0; at < 2; at++) {
      const task =
        at === 0
          ? await contractor.dispatch.claim(base, claimRequest).then(([first]) => first as ClaimedTask)
          : await claimOne()
      await answer(task, task.function === 'weld' ? { welded: true } : { oiled: true })
    }
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      reason: expect.stringContaining('does not take a value'),
    })
    expect(await fine.refresh()).toMatchObject({ state: 'done' })
    await job.reset()
    await contractor.foreman.runDue()
    expect(await contractor.dispatch.claim(base, claimRequest)).toEqual([])
    expect(await job.refresh()).toMatchObject({ state: 'error' })
    expect((await job.history()).map(step => step.end)).toEqual(['result'])
  })

  it('of a moment that is none stops its own Job, which says so', async () => {
    const shop = await begin('foundation.alarm( at=1 )', ['bad'])
    expect(await stateOf(shop, 'bad')).toMatchObject({
      state: 'error',
      reason: expect.stringContaining('a moment that is none'),
    })
  })
})

describe('a script', () => {
  it('that waits for longer than a timestamp holds stops with that, and no other Job does', async () => {
    const shop = await begin('delay( hours=100000000000 )', ['bad'])
    await order(shop, "foundation.say( load='x' )", ['good'])
    await shop.contractor.foreman.runDue()
    expect(await stateOf(shop, 'bad')).toMatchObject({
      state: expect.stringMatching(/error|aborted/),
      reason: expect.stringContaining('delay'),
    })
    expect(await shop.claim()).toHaveLength(1)
  })

  it('that works without end lets the process and the other Jobs have their turns', { timeout: 120_000 }, async () => {
    const lines = [
      't = "0123456789abcdef"',
      'i = 0',
      'while ( i < 16 ) do',
      'begin()',
      '  t = ( t . t )',
      '  i = ( i + 1 )',
      'end',
    ]
    const endless = [
      ...lines,
      'while ( 1 == 1 ) do',
      'begin()',
      '  u = ( t . "x" )',
      '  n = len( array=u )',
      'end',
    ].join('\n')
    const shop = await openShop(undefined, { plugins: [crane, lathe, gauge] })
    let longestMs = 0
    let lastAt = performance.now()
    const timer = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastAt)
      lastAt = performance.now()
    }, 5)
    onTestFinished(() => clearInterval(timer))
    await shop.contractor.scripts.put({ name: 'endless', source: endless })
    await shop.contractor.blueprints.put({ kind: 'foundation', name: 'endless', scripts: { create: 'endless' } })
    const foundation = await shop.contractor.foundations.create({
      type: 'Crane',
      locator: 'busy',
      site: 'lab',
      blueprint: 'endless',
    })
    await foundation.setLocated()
    const job = await foundation.doCreate()
    const running = shop.contractor.foreman.runDue()
    for (let looked = 0; looked < 20; looked++) await shop.contractor.jobs.get(job.id)
    // No second round beside the one that runs: it might be the one that has the script without end.
    await order(shop, "foundation.say( load='x' )", ['good'])
    // Its turn comes with the batch of the other, or with the next one.
    let tasks: ClaimedTask[] = []
    for (let looked = 0; looked < 1_000 && !tasks.length; looked++) {
      shop.clock.advance(1)
      tasks = await claimOf(shop)
    }
    expect(tasks).toHaveLength(1)
    await job.cancel()
    await running
    expect(longestMs).toBeLessThan(2_000)
  })
})

it('Jobs of many megabytes are written and read in parts', { timeout: 120_000 }, async () => {
  const names = Array.from({ length: 18 }, (_, at) => `big${at}`)
  const grow = [
    't = "0123456789abcdef"',
    'i = 0',
    'while ( i < 17 ) do',
    'begin()',
    '  t = ( t . t )',
    '  i = ( i + 1 )',
    'end',
  ]
  const script = [
    ...grow,
    ...['a', 'b', 'c', 'd', 'e', 'f'].map(name => `${name} = t`),
    "foundation.say( load='x' )",
  ].join('\n')
  const shop = await begin(script, names)
  for (let round = 0; round < 10; round++) await shop.contractor.foreman.runDue()
  const tasks = await shop.claim()
  expect(
    (await shop.contractor.jobs.list()).items.filter(one => one.state !== 'queued').map(one => one.reason),
  ).toEqual([])
  expect(tasks).toHaveLength(18)
  const taken = await shop.contractor.dispatch.results(
    agent,
    results(tasks, () => ({ lifted: 'x' })),
  )
  expect(taken.filter(one => one.accepted)).toHaveLength(18)
  for (let round = 0; round < 10; round++) {
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
  }
  expect((await shop.contractor.jobs.list({ state: 'done' })).items).toHaveLength(18)
})

const claimRequest = { agent: 'a', modules: { lathe: { slots: 1 } }, waitMs: 0 }

/** Changes the config by what no database takes. */
const stain = defineModule({
  name: 'stain',
  tasks: {},
  functions: {
    mark: defineFunction({
      args: z.object({}),
      state: z.object({}),
      result: z.null(),
      start: () => ({}),
      outcome: () => ({ kind: 'done', value: null, config: { mark: 'half \ud83d' } }),
    }),
  },
})

const bellTasks = defineTasks({ ring: { params: z.object({ code: secret() }), result: z.object({}) } })
const bell = defineModule({
  name: 'bell',
  tasks: bellTasks,
  functions: {
    ring: defineTaskFunction({
      args: z.object({ code: z.string() }),
      task: bellTasks.ring,
      params: ({ code }) => ({ code }),
      result: z.null(),
      value: () => null,
    }),
  },
})

it('a Task whose secret cannot be opened stops its own Job, and the rest of the claim is handed out', async () => {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const clock = createManualClock()
  const open = (secretKey: string) =>
    createContractor({ database: database.option, plugins: [crane, bell], clock, foreman: false, secretKey })
  const key = () => randomBytes(32).toString('base64')
  const one = await open(key())
  await one.sites.create({ name: 'lab', configValues: { code: { $secret: 'code' } } })
  await one.secrets.put({ name: 'code', value: 'sesame' })
  await order({ contractor: one }, 'bell.ring( code=config.code )', ['bad'])
  await order({ contractor: one }, "foundation.say( load='x' )", ['good'])
  await one.foreman.runDue()
  await one.close()
  const two = await open(key())
  const tasks = await claimOf({ contractor: two })
  expect(tasks).toMatchObject([{ function: 'lift' }])
  expect(await stateOf({ contractor: two }, 'bad')).toMatchObject({
    state: 'error',
    reason: expect.stringContaining('sealed with another key'),
  })
  await two.close()
})

describe('what an operator or a program gives', () => {
  it('is refused with the path of what cannot be kept', async () => {
    const { contractor } = await openShop()
    const nested = { web: { motd: ['fine', 'bro\0ken'] } }
    await expect(contractor.sites.create({ name: 'x', configValues: nested })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      data: { issues: [{ path: 'configValues.web.motd.1', message: expect.stringContaining('cannot be kept') }] },
    })
    for (const attempt of [
      () => contractor.sites.create({ name: 'x', description: 'a\ud800' }),
      () => contractor.jobs.setMessage(1, 'a\0'),
      () => contractor.secrets.put({ name: 'x', value: '' }),
      () => contractor.scripts.put({ name: 'x', source: '# \0' }),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: expect.stringMatching(/VALIDATION_FAILED|SCRIPT_INVALID/) })
  })
})
