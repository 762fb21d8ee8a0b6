import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

describe('events', () => {
  it('are read on from a cursor, and tell who caused them', async () => {
    const { contractor, stack } = await openShop()
    const before = await contractor.events.cursor()
    const { foundation } = await stack({})
    await foundation.setLocated({ by: 'ann' })
    const first = await contractor.events.list({ after: before, limit: 8 })
    const second = await contractor.events.list({ after: first.at(-1)?.cursor })
    expect([first.length, second.length]).toEqual([8, 2])
    expect([...first, ...second].slice(-3).map(event => [event.type, event.by])).toEqual([
      ['foundation.created', 'sdk'],
      ['structure.created', 'sdk'],
      ['foundation.located', 'ann'],
    ])
    await expect(contractor.events.list({ after: 'nonsense' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('of a transaction that commits late are not missed by who has read later ones', async () => {
    const { contractor, stack, database } = await openShop()
    const { foundation } = await stack({})
    const start = await contractor.events.cursor()
    const client = postgres(database.option as string, { max: 1 })
    const slow = await client.reserve()
    await slow`begin`
    await slow`insert into contractor.event (at, type, by) values (now(), 'site.slow', 'slow')`
    await foundation.setLocated()
    const before = await contractor.events.list({ after: start })
    expect(before.map(event => event.by)).toEqual(['sdk'])
    await slow`commit`
    expect((await contractor.events.list({ after: before[0]?.cursor })).map(event => event.by)).toEqual(['slow'])
    expect((await contractor.events.list({ after: start })).map(event => event.by)).toEqual(['sdk', 'slow'])
    slow.release()
    await client.end()
  })

  it('of one Job are told in the order in which they happened, whichever transaction began first', async () => {
    const { contractor, stack, database } = await openShop()
    const { foundation, structure } = await stack({ create: 'foundation.weld()' })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    const client = postgres(database.option as string, { max: 1 })
    const start = await contractor.events.cursor()
    await drizzle(client).transaction(async tx => {
      await tx.execute(sql`select pg_current_xact_id()`)
      await contractor.foreman.runDue()
      await contractor.jobs.setMessage(job.id, 'last', { tx })
    })
    for (const query of [{ after: start }, { job: job.id }]) {
      expect((await contractor.events.list(query)).map(event => event.type).slice(-3)).toEqual([
        'job.started',
        'job.progress',
        'job.message',
      ])
    }
    await client.end()
  })

  it('are not held up by a transaction in another database of the same server', async () => {
    const { contractor, stack } = await openShop()
    const other = await createPostgresDatabase()
    const client = postgres(other.option, { max: 1 })
    const slow = await client.reserve()
    await slow`begin`
    await slow`select pg_current_xact_id()`
    const start = await contractor.events.cursor()
    await stack({})
    expect((await contractor.events.list({ after: start })).at(-1)).toMatchObject({ type: 'structure.created' })
    await slow`rollback`
    slow.release()
    await client.end()
    await other.drop()
  })

  it('are watched as they happen, until the watcher has enough', async () => {
    const { contractor, stack } = await openShop()
    const { foundation } = await stack({})
    const enough = new AbortController()
    const after = await contractor.events.cursor()
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of contractor.events.watch({ after, signal: enough.signal })) {
        seen.push(event.type)
        if (seen.length === 1) void foundation.setBuilt()
        else enough.abort()
      }
    })()
    await foundation.setLocated()
    await watching
    expect(seen).toEqual(['foundation.located', 'foundation.built'])
  })
})
