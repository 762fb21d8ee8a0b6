import { sql } from 'drizzle-orm'
import { anyNumber } from '../../database/any-of.ts'
import { executeRows } from '../../database/database.ts'
import {
  describeHolder,
  findLockHolders,
  findTableHolders,
  isLasting,
  type LockHolder,
} from '../../database/lock-holders.ts'
import type { Engine } from '../../engine/engine.ts'

/** Says in the log which sessions hold up Jobs that are due: each one once in a while, and not with every look. */
export interface HeldUpLog {
  /** Looks who holds up these Jobs, and those that are overdue. Asked again at once, it does nothing. */
  tell(aside: Iterable<number>): Promise<void>
}

/** How often it is looked, in milliseconds. */
const lookEveryMs = 1_000
/** How often one is told of, in milliseconds. */
const againMs = 60_000
/** How many Jobs that are due are looked through for it. */
const mostJobs = 100

export function createHeldUpLog(engine: Engine): HeldUpLog {
  const told = new Map<string, number>()
  let lookedAt = Number.NEGATIVE_INFINITY

  async function findHolders(aside: Iterable<number>): Promise<LockHolder[]> {
    // Asked first: of a table that is locked nothing can be read.
    const tables = (await findTableHolders(engine.db)).filter(isLasting)
    if (tables.length) return tables
    const now = engine.clock.now()
    const late = await executeRows<{
      id: string
      foundation: string
      site: string
      structure: string | null
      dependency: string | null
    }>(
      engine.db,
      sql`select job.id::text, foundation.locator as foundation, foundation.site, structure.id::text as structure, job.dependency::text
          from contractor.job
          left join contractor.dependency on dependency.id = job.dependency
          left join contractor.structure on structure.id = coalesce(job.structure, dependency.script_structure)
          join contractor.foundation on foundation.locator = coalesce(job.foundation, structure.foundation)
          where outcome is null and (job.id = ${anyNumber([...aside].slice(0, mostJobs))} or job.id = any(array(
            (select id from contractor.job where wake_at <= ${now} order by wake_at limit ${mostJobs})
            union all (select job from contractor.claim_word where arrival is not null limit ${mostJobs})
            union all (select job from contractor.task where lease_until < ${now} order by lease_until limit ${mostJobs}))))`,
    )
    const rows = {
      jobs: late.map(row => Number(row.id)),
      foundations: late.map(row => row.foundation),
      sites: late.map(row => row.site),
      structures: late.flatMap(row => (row.structure === null ? [] : [Number(row.structure)])),
      dependencies: late.flatMap(row => (row.dependency === null ? [] : [Number(row.dependency)])),
    }
    return findLockHolders(engine.db, rows, isLasting)
  }

  return {
    async tell(aside) {
      const now = performance.now()
      if (engine.database.kind === 'pglite' || now - lookedAt < lookEveryMs) return
      lookedAt = now
      const holders = await findHolders(aside)
      for (const [who, at] of told) if (now - at > againMs) told.delete(who)
      for (const holder of holders) {
        const { pid, application, since } = holder
        const who = `${pid} ${application} ${since}`
        if (told.has(who)) continue
        told.set(who, now)
        engine.log('warn', 'A transaction holds up Jobs; all others go on', {
          holder: describeHolder(holder),
          pid,
          application,
          since,
        })
      }
    },
  }
}
