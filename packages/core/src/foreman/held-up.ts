import { sql } from 'drizzle-orm'
import { executeRows } from '../database/database.ts'
import { describeHolder, findLockHolders } from '../database/lock-holders.ts'
import type { Engine } from '../engine/engine.ts'

/** Says in the log which sessions hold up Jobs that are due: each one once in a while, and not with every look. */
export interface HeldUpLog {
  tell(): Promise<void>
}

const againMs = 60_000
/** How many Jobs that are due are looked through for it. */
const mostJobs = 100

export function createHeldUpLog(engine: Engine): HeldUpLog {
  const told = new Map<string, number>()
  return {
    async tell() {
      if (engine.database.kind === 'pglite') return
      const late = await executeRows<{
        id: string
        foundation: string | null
        structure: string | null
        dependency: string | null
      }>(
        engine.db,
        sql`select id::text, coalesce(job.foundation, (select structure.foundation from contractor.structure where structure.id = job.structure)) as foundation,
              structure::text, dependency::text
            from contractor.job where outcome is null and (
              wake_at <= ${engine.clock.now()} or id in (select job from contractor.claim_word where arrival is not null)
              or id in (select job from contractor.task where lease_until < ${engine.clock.now()}))
            order by wake_at limit ${mostJobs}`,
      )
      const holders = await findLockHolders(engine.db, {
        jobs: late.map(row => Number(row.id)),
        foundations: late.flatMap(row => row.foundation ?? []),
        structures: late.flatMap(row => (row.structure === null ? [] : [Number(row.structure)])),
        dependencies: late.flatMap(row => (row.dependency === null ? [] : [Number(row.dependency)])),
      })
      const now = performance.now()
      for (const [who, at] of told) if (now - at > againMs) told.delete(who)
      for (const holder of holders) {
        const who = describeHolder(holder)
        if (told.has(who)) continue
        told.set(who, now)
        engine.log('warn', 'A transaction holds up Jobs; all others go on', {
          holder: who,
          pid: holder.pid,
          application: holder.application,
          since: holder.since,
        })
      }
    },
  }
}
