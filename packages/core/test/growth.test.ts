import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import postgres from 'postgres'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop } from './shop.ts'

/** An engine whose statements are counted. */
async function openCounted() {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const statements: string[] = []
  const client = postgres(database.option, {
    max: 6,
    onnotice: () => undefined,
    debug: (_connection, query) => void statements.push(query),
  })
  const clock = createManualClock()
  const contractor = await createContractor({
    database: client,
    plugins: [lathe, gauge],
    clock,
    foreman: false,
    heartbeat: false,
    leaseMs: 10_000,
  })
  onTestFinished(async () => {
    await contractor.close()
    await client.end()
  })
  await contractor.sites.create({ name: 'lab' })
  return { contractor, statements, clock, database }
}

/** However slow the machine is. */
const slowly = { timeout: 20_000 }

describe('watchers', () => {
  it('cost a message the same, however many there are', async () => {
    const { contractor, statements } = await openCounted()
    await contractor.scripts.put({ name: 'wait', source: "pause( msg='x' )" })
    await contractor.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'wait' } })
    const foundation = await contractor.foundations.create({
      locator: 'f',
      type: 'Lathe',
      site: 'lab',
      blueprint: 'base',
      fields: { serial: 's' },
    })
    await foundation.setLocated()
    const job = await foundation.doCreate()
    const stop = new AbortController()
    const counts: number[] = []
    const seen: number[] = []
    const watch = async (at: number) => {
      const { signal } = stop
      for await (const event of contractor.events.watch({ signal, ...(at % 2 && { job: job.id }) }))
        if (event.type === 'job.message') seen[at] = (seen[at] ?? 0) + 1
    }
    const watching: Promise<void>[] = []
    for (const many of [1, 100]) {
      while (watching.length < many) watching.push(watch(watching.length))
      await vi.waitFor(async () => {
        await job.setMessage('who is there?')
        expect(Array.from({ length: many }, (_, at) => seen[at] ?? 0).every(count => count > 0)).toBe(true)
      }, slowly)
      const before = [...seen]
      const statementsBefore = statements.length
      for (let message = 0; message < 10; message++) await job.setMessage(`message ${message}`)
      await vi.waitFor(() => expect(seen.every((count, at) => count >= (before[at] ?? 0) + 10)).toBe(true), slowly)
      counts.push(statements.length - statementsBefore)
    }
    const [one = 0, hundred = 0] = counts
    expect(hundred).toBeLessThan(one + 40)
    stop.abort()
    await Promise.all(watching)
  })
})

describe('agents that wait for work', () => {
  it('cost a notification the same, however many there are', async () => {
    const { contractor, statements } = await openCounted()
    await contractor.scripts.put({ name: 'oil', source: 'foundation.oil()' })
    await contractor.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'oil' } })
    await contractor.sites.create({ name: 'hall' })
    const order = async (locator: string, site: string) => {
      const fields = { serial: 's' }
      const foundation = await contractor.foundations.create({
        locator,
        type: 'Lathe',
        site,
        blueprint: 'base',
        fields,
      })
      await foundation.setLocated()
      await foundation.doCreate()
      await contractor.foreman.runDue()
    }
    const request = { agent: 'a', modules: { lathe: { slots: 1 } }, waitMs: 60_000 }
    const stop = new AbortController()
    const waiting = Array.from({ length: 100 }, () => contractor.dispatch.claim(agent, request, stop.signal))
    const claims = () => statements.filter(text => text.includes('claim_token = gen_random_uuid()')).length
    // Each has looked when it came, and once more when it had taken its place.
    await vi.waitFor(() => expect(claims()).toBe(200), slowly)
    for (let told = 0; told < 10; told++) await order(`hall${told}`, 'hall')
    await order('lab1', 'lab')
    expect(await Promise.race(waiting)).toMatchObject([{ function: 'oil' }])
    expect(claims()).toBeLessThan(230)
    stop.abort()
    await Promise.all(waiting)
  })
})

describe('an undo', () => {
  it('writes for each call what that call is, and not what is left', async () => {
    const { contractor, stack, claimOne, answer } = await openShop()
    const grips = Array.from({ length: 60 }, (_, at) => `foundation.grip( part='p${at}' )`)
    const { foundation, structure } = await stack({ create: [...grips, "pause( msg='x' )"].join('\n') })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    for (let at = 0; at < 60; at++) await answer(await claimOne(), { held: `p${at}` })
    await job.undo()
    await contractor.foreman.runDue()
    for (let at = 59; at >= 0; at--) {
      const task = await claimOne()
      expect(task).toMatchObject({ function: 'let_go', params: { held: `p${at}` } })
      await answer(task, {})
    }
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'undone' })
    expect((await job.history()).filter(step => step.undoneAt !== null)).toHaveLength(60)
  })
})

describe('a Foundation', () => {
  it('that moves takes its Task along', async () => {
    const { contractor, stack, claim, answer } = await openShop()
    await contractor.sites.create({ name: 'away' })
    const { foundation, structure } = await stack({ create: 'foundation.oil()\nfoundation.oil()' })
    await foundation.setBuilt()
    await structure.doCreate()
    await contractor.foreman.runDue()
    await foundation.update({ site: 'away' })
    expect(await claim()).toEqual([])
    const request = { agent: 'far', modules: { lathe: { slots: 1 } }, waitMs: 0 }
    const [task] = await contractor.dispatch.claim({ ...agent, sites: ['away'] }, request)
    expect(task).toMatchObject({ function: 'oil' })
    // What its agent hands back unbegun, and what follows, are the new Site's as well.
    await foundation.update({ site: 'lab' })
    await contractor.dispatch.release(agent, [
      { taskId: task?.taskId ?? 0, claimToken: task?.claimToken ?? '', begun: false },
    ])
    const [again] = await claim()
    expect(again).toMatchObject({ function: 'oil' })
    await answer(again as never, { oiled: true })
    expect(await claim()).toMatchObject([{ function: 'oil' }])
  })

  it('is not pulled from under the Job of its Structure by a hard Dependency', async () => {
    const { contractor, stack } = await openShop()
    const below = await stack({}, 'below')
    const above = await stack({ utility: "pause( msg='at work' )" }, 'above')
    const dependency = await contractor.dependencies.create({
      foundation: 'above',
      structure: below.structure.id,
      link: 'hard',
      scriptStructure: below.structure.id,
    })
    await below.foundation.setBuilt()
    await below.structure.setBuilt()
    await dependency.setBuilt()
    await above.foundation.setBuilt()
    await above.structure.setBuilt()
    const job = await contractor.jobs.create({ structure: above.structure.id }, 'polish')
    await contractor.foreman.runDue()
    for (const attempt of [() => dependency.setDestroyed(), () => below.structure.setDestroyed()])
      await expect(attempt()).rejects.toMatchObject({
        code: 'IN_USE',
        data: { by: [expect.stringContaining(`Job ${job.id}`)] },
      })
    expect(await above.foundation.refresh()).toMatchObject({ state: 'built' })
    await job.cancel()
    await dependency.setDestroyed()
    expect(await contractor.foundations.get('above')).toMatchObject({ state: 'planned' })
  })
})

describe('statements', () => {
  it('find Jobs by their targets with an index, whatever their state', async () => {
    const { contractor, database } = await openCounted()
    expect(await contractor.jobs.list()).toMatchObject({ items: [] })
    const client = postgres(database.option, { max: 1, onnotice: () => undefined })
    onTestFinished(() => client.end())
    await client.unsafe('set enable_seqscan = off')
    for (const column of ['foundation', 'structure', 'dependency']) {
      const value = column === 'foundation' ? `'f'` : '1'
      const rows = await client.unsafe(`explain delete from contractor.job where ${column} = ${value}`)
      expect(JSON.stringify(rows)).toContain('Index')
    }
  })
})
