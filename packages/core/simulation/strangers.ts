import type { Db } from '@contractor/core'
import { drizzle } from 'drizzle-orm/postgres-js'
import type { ReservedSql, Sql } from 'postgres'
import type { EngineSlot } from './engine-slot.ts'
import type { JobState } from './job-laws.ts'
import { order, type SimulatedTarget } from './targets.ts'
import type { World } from './world.ts'

/**
 * Programs of others in the same database: each holds a transaction open, in any isolation level, for as long as it likes,
 * with rows of ours locked or changed, by its own statements or by the SDK's calls with its transaction.
 */
export interface Strangers {
  count(): number
  /** Somebody begins a transaction. */
  open(engine: EngineSlot, jobs: readonly JobState[], targets: readonly SimulatedTarget[]): Promise<void>
  /** One of them ends, in either way. */
  end(): Promise<void>
  endAll(): Promise<void>
}

interface Open {
  session: ReservedSql
  label: string
}

const isolations = ['read committed', 'repeatable read', 'serializable'] as const

/** What somebody's session does first, by itself. */
const holds = [
  'select pg_current_xact_id()',
  'select 1 from contractor.job order by id limit 1 for update',
  'select 1 from contractor.job where outcome is null order by id desc limit 1 for update',
  'select 1 from contractor.foundation order by locator limit 1 for update',
  "update contractor.structure set updated_at = updated_at where hostname = 's0'",
  "select 1 from contractor.site where name = 'lab' for update",
  'select 1 from contractor.task for update',
  'select 1 from contractor.event order by id desc limit 3 for update',
]

export function createStrangers(world: World): Strangers {
  const { random, trace, database } = world
  const open: Open[] = []

  const finish = async ({ session, label }: Open, how: 'commit' | 'rollback') => {
    // What cannot be committed, PostgreSQL rolls back.
    await session.unsafe(how).catch(() => session.unsafe('rollback'))
    session.release()
    world.strangers = open.length
    trace(`  ${how} of ${label}`)
  }

  /** Calls of the SDK within the stranger's transaction. */
  const call = async (
    engine: EngineSlot,
    session: ReservedSql,
    jobs: readonly JobState[],
    targets: readonly SimulatedTarget[],
  ) => {
    const tx = drizzle(Object.assign(session, { options: database.client.options }) as unknown as Sql) as unknown as Db
    const options = { tx, by: 'stranger' }
    const live = jobs.filter(job => job.outcome === null)
    const job = live.length ? random.pick(live) : undefined
    const { contractor } = engine
    const verb = random.pick(['pause', 'resume', 'reset', 'cancel'] as const)
    const state = random.pick(['built', 'destroyed'] as const)
    switch (random.pick(['verb', 'message', 'order', 'state'] as const)) {
      case 'verb':
        trace(`    it ${verb}s Job ${job?.id}`)
        if (job) await contractor.jobs.apply(job.id, verb, options)
        return
      case 'message':
        trace(`    it speaks of Job ${job?.id}`)
        if (job) await contractor.jobs.setMessage(job.id, 'somebody says', options)
        return
      case 'order': {
        const request = order(world, engine, targets, options)
        trace(`    it ${request.label}`)
        await request.run()
        return
      }
      case 'state':
        trace(`    it sets f0 ${state}`)
        await contractor.foundations.setState('f0', state, options)
    }
  }

  return {
    count: () => open.length,
    async open(engine, jobs, targets) {
      const isolation = random.pick(isolations)
      const statement = random.pick(holds)
      const calls = random.chance(0.5)
      const session = await database.client.reserve()
      await session.unsafe(`begin isolation level ${isolation}`)
      await session.unsafe('set local lock_timeout = 30')
      const own: Open = { session, label: `a stranger's transaction (${isolation})` }
      trace(`  ${own.label} opens: ${calls ? 'calls of the SDK' : statement}`)
      world.count('strangers')
      open.push(own)
      world.strangers = open.length
      try {
        // Its snapshot may be older than what it does next.
        await session.unsafe('select count(*) from contractor.job')
        if (calls) await call(engine, session, jobs, targets)
        else await session.unsafe(statement)
      } catch {
        trace('    it is refused')
        await finish(open.pop() as Open, 'rollback')
      }
    },
    async end() {
      const own = open.splice(random.int(0, open.length - 1), 1)[0]
      if (own) await finish(own, random.chance(0.6) ? 'commit' : 'rollback')
    },
    async endAll() {
      for (const own of open.splice(0)) await finish(own, 'rollback')
    },
  }
}
