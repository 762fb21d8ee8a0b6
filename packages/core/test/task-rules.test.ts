import { secret } from '@contractor/contract'
import type { Job } from '@contractor/core'
import { defineModule, defineTaskFunction, defineTasks } from '@contractor/plugin'
import type { ClaimedTask, TaskReport } from '@contractor/plugin/wire'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { databaseKinds } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop, type Shop } from './shop.ts'

/** A module of a device that is asked over a line that takes one command at a time. */
const params = z.object({ address: z.string(), password: secret().optional() })
const done = z.object({ done: z.boolean() })
const tasks = defineTasks({
  ask: { params, result: done },
  retried: { params, result: done, retry: { attempts: 3, backoffMs: 5000, factor: 1, jitter: 0 } },
  brief: { params, result: done, timeoutMs: 30_000 },
  alone: { params, result: done, limit: ({ address }) => ({ key: `line ${address}`, atOnce: 1, spacingMs: 3000 }) },
  pair: { params, result: done, limit: ({ address }) => ({ key: `pair ${address}`, atOnce: 2 }) },
})
const args = z.object({ address: z.string().default('a'), password: z.string().optional() })
const functionOf = (
  task: (typeof tasks)[keyof typeof tasks],
  more: { idempotent?: boolean; observed?: boolean } = {},
) =>
  defineTaskFunction({
    args,
    task,
    params: given => given,
    result: z.boolean(),
    value: reply => reply.done,
    idempotent: more.idempotent ?? false,
    ...(more.observed && {
      observe: {
        task: tasks.ask,
        params: given => given,
        conclude: (seen: { done: boolean }) => (seen.done ? { done: { done: true } } : { repeat: true as const }),
      },
    }),
  })
const line = defineModule({
  name: 'line',
  tasks,
  functions: {
    ask: functionOf(tasks.ask),
    retried: functionOf(tasks.retried),
    seen: functionOf(tasks.retried, { observed: true }),
    looked: functionOf(tasks.brief, { observed: true }),
    brief: functionOf(tasks.brief, { idempotent: true }),
    alone: functionOf(tasks.alone),
    pair: functionOf(tasks.pair),
  },
})

async function open(kind = databaseKinds[0]): Promise<Shop> {
  return openShop(kind, { plugins: [lathe, gauge, line], secretKey: Buffer.alloc(32, 7).toString('base64') })
}

async function begin(shop: Shop, script: string, name = 'one'): Promise<Job> {
  const { foundation, structure } = await shop.stack({ create: script }, name)
  await foundation.setBuilt()
  const job = await structure.doCreate()
  await shop.contractor.foreman.runDue()
  return job
}

const own = { ...agent, modules: ['line'] }
const claim = (shop: Shop, slots = 10) =>
  shop.contractor.dispatch.claim(own, { agent: 'bench', modules: { line: { slots } }, waitMs: 0 })
async function claimOne(shop: Shop): Promise<ClaimedTask> {
  const [only, ...others] = await claim(shop)
  if (!only || others.length) throw new Error(`${others.length + (only ? 1 : 0)} Tasks are offered, not one`)
  return only
}
const answer = async (shop: Shop, { taskId, claimToken }: ClaimedTask, more: object = { result: { done: true } }) =>
  (await shop.contractor.dispatch.results(own, [{ taskId, claimToken, ...more }]))[0]?.accepted
const tell = async (shop: Shop, { taskId, claimToken }: ClaimedTask, report?: TaskReport) =>
  (await shop.contractor.dispatch.renew(own, [{ taskId, claimToken, ...(report && { report }) }]))[0]?.accepted
const wait = async (shop: Shop, ms: number) => {
  shop.clock.advance(ms)
  await shop.contractor.foreman.runDue()
}
const later = (retryAfterMs?: number) => ({
  error: {
    code: 'TASK_FAILED',
    message: 'Busy',
    retryable: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  },
})

describe.each(databaseKinds)('a Task on $kind', kind => {
  it('says which call it is for, the same for each attempt, and how long it may take', async () => {
    const shop = await open(kind)
    await begin(shop, 'line.retried()')
    const first = await claimOne(shop)
    expect(first).toMatchObject({ attempt: 1, timeoutMs: 600_000 })
    await answer(shop, first, later())
    await wait(shop, 5000)
    expect(await claimOne(shop)).toMatchObject({ attempt: 2, callId: first.callId })
  })

  it('is tried again as it declares, and when its handler says', async () => {
    const shop = await open(kind)
    const job = await begin(shop, 'line.retried()')
    await answer(shop, await claimOne(shop), later())
    await wait(shop, 4999)
    expect(await claim(shop)).toEqual([])
    await wait(shop, 1)
    await answer(shop, await claimOne(shop), later(60_000))
    await wait(shop, 59_999)
    expect(await claim(shop)).toEqual([])
    expect((await job.explain()).because).toMatchObject([{ code: 'retry', data: { failures: 2, most: 3 } }])
    await wait(shop, 1)
    await answer(shop, await claimOne(shop), later())
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'Busy' })
  })

  it('is tried again when its handler says also where its function can look; without a declaration, it looks first', async () => {
    const shop = await open(kind)
    await begin(shop, 'line.seen()')
    await answer(shop, await claimOne(shop), later(7000))
    await wait(shop, 6999)
    expect(await claim(shop)).toEqual([])
    await wait(shop, 1)
    expect(await claimOne(shop)).toMatchObject({ function: 'retried' })

    const job = await begin(shop, 'line.looked()', 'two')
    await answer(shop, await claimOne(shop), later(7000))
    await wait(shop, 7000)
    const look = await claimOne(shop)
    expect(look).toMatchObject({ function: 'ask' })
    await answer(shop, look, { result: { done: false } })
    const again = await claimOne(shop)
    expect(again).toMatchObject({ function: 'brief', attempt: 2 })
    await answer(shop, again)
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('is not tried again where that is neither declared nor harmless', async () => {
    const shop = await open(kind)
    const job = await begin(shop, 'line.ask()')
    await answer(shop, await claimOne(shop), later(10))
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'Busy' })
  })

  it('is taken from an agent that renews it for longer than it may take', async () => {
    const shop = await open(kind)
    const job = await begin(shop, 'line.brief()')
    const hung = await claimOne(shop)
    for (let ms = 0; ms < 36_000; ms += 4000) {
      expect(await tell(shop, hung)).toBe(true)
      await wait(shop, 4000)
    }
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    await wait(shop, 4001)
    expect(await tell(shop, hung)).toBe(false)
    expect(await answer(shop, hung)).toBe(false)
    await wait(shop, 1000)
    expect(await claimOne(shop)).toMatchObject({ attempt: 2, callId: hung.callId })
    expect((await shop.contractor.jobs.history(job.id)).items).toMatchObject([
      { end: 'lost', reply: 'the agent bench did not end it within 30 s' },
    ])
  })

  it('that is given back says why', async () => {
    const shop = await open(kind)
    const job = await begin(shop, 'line.ask()')
    const { taskId, claimToken } = await claimOne(shop)
    await shop.contractor.dispatch.release(own, [
      { taskId, claimToken, begun: true, reason: 'line.ask took longer than 30 s' },
    ])
    expect((await job.refresh()).message).toContain(
      'line.ask may or may not have been done: the agent bench gave it back: line.ask took longer than 30 s',
    )
  })
})

describe.each(databaseKinds)('a running handler on $kind', kind => {
  it('shows its Job how far it is, and leaves its log in the history, without a secret', async () => {
    const shop = await open(kind)
    await shop.contractor.secrets.put({ name: 'line', value: 'hunter2' })
    await shop.contractor.sites.update('lab', { configValues: { pw: { $secret: 'line' } } })
    const job = await begin(shop, 'line.ask( address="a", password=config.pw )', 'one')
    const before = (await job.refresh()).progress
    const task = await claimOne(shop)
    const lines = (from: number, ...texts: string[]) =>
      texts.map((text, at) => ({ place: from + at, at: Date.UTC(2026, 0, 1), text }))
    expect(
      await tell(shop, task, { progress: 40, message: 'Pulling with hunter2', lines: lines(1, 'one', 'two: hunter2') }),
    ).toBe(true)
    const told = await job.refresh()
    expect(told.message).toBe('Pulling with *** (40 %)')
    expect(told.progress).toBeGreaterThanOrEqual(before)
    await tell(shop, task, { progress: 100, message: 'Pulling' })
    const high = (await job.refresh()).progress
    expect(high).toBeGreaterThan(before)
    await tell(shop, task, { progress: 10 })
    expect(await job.refresh()).toMatchObject({ message: 'line.ask (10 %)', progress: high })

    const types = (await shop.contractor.events.list({ job: job.id, limit: 100 })).map(event => event.data.message)
    expect(types).toContain('Pulling with *** (40 %)')
    await answer(shop, task, {
      result: { done: true },
      lines: lines(2, 'two again, since the answer was lost', 'three'),
    })
    const [step] = (await shop.contractor.jobs.history(job.id)).items
    expect(step?.log).toEqual(['one', 'two: ***', 'three'].map(text => ({ at: '2026-01-01T00:00:00.000Z', text })))
  })

  it('of a Job that is paused, revoked or over moves nothing', async () => {
    const shop = await open(kind)
    const job = await begin(shop, 'line.ask()')
    const task = await claimOne(shop)
    await job.pause()
    await tell(shop, task, { progress: 50, message: 'On' })
    expect((await job.refresh()).message).toBe('Paused by an operator')
    await job.cancel()
    expect(await tell(shop, task, { progress: 60, message: 'On' })).toBe(false)
    expect((await job.refresh()).message).not.toContain('On (60 %)')
  })
})

describe.each(databaseKinds)('a limit on $kind', kind => {
  it('keeps apart what must not be at once, whoever asks, and leaves a pause between', async () => {
    const shop = await open(kind)
    const jobs = [await begin(shop, 'line.alone()', 'one'), await begin(shop, 'line.alone()', 'two')]
    await begin(shop, 'line.alone( address="b" )', 'three')
    const byAddress = (task: ClaimedTask) => (task.params as { address: string }).address
    const first = (await claim(shop)).sort((one, other) => byAddress(one).localeCompare(byAddress(other)))
    expect(first.map(task => task.params)).toEqual([{ address: 'a' }, { address: 'b' }])
    const because = (await jobs[1]?.explain())?.because[0]
    expect(because).toMatchObject({ code: 'turn', data: { key: 'line a', atOnce: 1, jobs: [jobs[0]?.id] } })
    expect(because?.text).toContain("waits for its turn at 'line a', where 1 may be at once: Job")

    await answer(shop, first[0] as ClaimedTask)
    await wait(shop, 2999)
    expect(await claim(shop)).toEqual([])
    expect((await jobs[1]?.explain())?.because[0]?.text).toContain('it pauses until 2026-01-01 00:00:03')
    await wait(shop, 1)
    await answer(shop, await claimOne(shop))
    expect(await jobs[1]?.refresh()).toMatchObject({ state: 'done' })
  })

  it('lets as many be at once as it says', async () => {
    const shop = await open(kind)
    for (const name of ['one', 'two', 'three', 'four']) await begin(shop, 'line.pair()', name)
    const two = await claim(shop)
    expect(two.length).toBe(2)
    await answer(shop, two[0] as ClaimedTask)
    await shop.contractor.foreman.runDue()
    expect((await claim(shop)).length).toBe(1)
  })

  it('is free again when a Task is lost, or its Job is cancelled', async () => {
    const shop = await open(kind)
    const first = await begin(shop, 'line.alone()', 'one')
    const second = await begin(shop, 'line.alone()', 'two')
    await begin(shop, 'line.alone()', 'three')
    await claimOne(shop)
    await wait(shop, 10_001)
    expect(await first.refresh()).toMatchObject({ state: 'error' })
    await wait(shop, 3000)
    expect((await second.explain()).because[0]).not.toMatchObject({ code: 'turn' })
    await second.cancel()
    await wait(shop, 3000)
    expect(await claim(shop)).toHaveLength(1)
  })
})
