import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Rows } from './session.ts'

/** Finds out when Jobs should have gone on whose rows somebody has in hand: nobody can let them meanwhile. */
export interface Lateness {
  /** The first moment at which one of these is late, in milliseconds since the epoch; undefined when none is until it is over. */
  since(jobs: Rows, over: AbortSignal): Promise<number | undefined>
  end(): Promise<void>
}

const everyMs = 200

export function createLateness(url: string): Lateness {
  const sql = postgres(url, { max: 1, fetch_types: false, connection: { application_name: 'lateness' } })
  return {
    async since(jobs, over) {
      const ids = JSON.stringify(jobs.map(job => Number(job.id)))
      while (!over.aborted) {
        // Due, or with an answer that waits to be taken, or with a Task whose agent is silent.
        const [row] = await sql<{ late: boolean }[]>`
          select exists (
            select from contractor.job where outcome is null and id in (select value::bigint from jsonb_array_elements_text(${ids}::text::jsonb))
              and (wake_at <= now() or id in (select job from contractor.claim_word where arrival is not null)
                or id in (select job from contractor.task where lease_until < now()))) as late`.catch(() => [])
        if (row?.late) return Date.now()
        await delay(everyMs)
      }
      return undefined
    },
    end: () => sql.end({ timeout: 5 }),
  }
}
