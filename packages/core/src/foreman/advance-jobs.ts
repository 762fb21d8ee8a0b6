import type { SQL } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import type { ClaimedTask } from '../plugin/wire.ts'
import type { Taker } from '../task/claim-tasks.ts'
import { advance, type Transition } from './advance.ts'
import type { Arrival } from './call.ts'
import { createProgramCache, type ProgramCache } from './program-cache.ts'
import { dueJobs, jobsById, loadWork, type Work } from './work.ts'
import { writeTransitions } from './write-transitions.ts'

/** Advances Jobs: read, decide, write, all in the caller's transaction. */
export interface Advancer {
  /** Those whose moment has come, up to a limit; says how many. */
  due(tx: Db, limit: number): Promise<number>
  /** Those for which something arrived, by Job. Gives the new Tasks that the taker gets at once. */
  deliver(tx: Db, arrivals: ReadonlyMap<number, Arrival>, taker?: Taker): Promise<ClaimedTask[]>
}

export function createAdvancer(engine: Engine): Advancer {
  const programs: ProgramCache = createProgramCache()
  const move = async (
    tx: Db,
    which: SQL,
    options: { skipLocked: boolean },
    arrivals: ReadonlyMap<number, Arrival>,
    taker?: Taker,
  ) => {
    const work = await loadWork(engine, tx, programs, which, options)
    const live = work.filter(one => one.job.outcome === null)
    const transitions = live.map(one => advanceOrSay(engine, one, arrivals.get(one.job.id)))
    return { count: work.length, tasks: await writeTransitions(engine, tx, transitions, taker) }
  }
  return {
    due: async (tx, limit) => (await move(tx, dueJobs(engine, limit), { skipLocked: true }, new Map())).count,
    async deliver(tx, arrivals, taker) {
      if (!arrivals.size) return []
      return (await move(tx, jobsById([...arrivals.keys()]), { skipLocked: false }, arrivals, taker)).tasks
    },
  }
}

/** A Job that cannot even be advanced says so, and does not keep the others from it. */
function advanceOrSay(engine: Engine, work: Work, arrival: Arrival | undefined): Transition {
  try {
    return advance(engine, work, arrival)
  } catch (error) {
    const message = `The Foreman could not advance this Job: ${error instanceof Error ? error.message : String(error)}`
    engine.log('error', message, { job: work.job.id })
    const { id, vm, progress, foundation, structure, dependency } = work.job
    return {
      job: { id, state: 'error', outcome: null, vm: vm ?? null, message, progress, wakeAtMs: null },
      events: [{ type: 'job.error', by: 'foreman', job: id, foundation, structure, dependency, data: { message } }],
      changes: [],
    }
  }
}
