import { setImmediate as nextTurn } from 'node:timers/promises'
import { isContractorError } from '@contractor/contract'
import type { ClaimedTask } from '@contractor/plugin/wire'
import type { SQL } from 'drizzle-orm'
import { type Db, inShortTransaction, isLockTimeout, sqlState } from '../../database/database.ts'
import { isConnectionError } from '../../database/database-error.ts'
import type { Engine } from '../../engine/engine.ts'
import { type Answer, deleteAnswered, lockAnswered } from '../task/answered-tasks.ts'
import type { Claimer } from '../task/claim-tasks.ts'
import { advance } from './advance.ts'
import { blameJob, postponeJobs } from './blame-job.ts'
import { findHeldUp } from './lock-targets.ts'
import { createProgramCache, type ProgramCache } from './program-cache.ts'
import { stopped, type Transition } from './transition.ts'
import { dueJobs, jobsById, loadWork, lockJobs, type Work } from './work.ts'
import { writeTransitions } from './write-transitions.ts'

/** What became of Jobs that were to be advanced. */
export interface Advanced {
  /** Jobs that moved, with the answers that were taken of them. */
  moved: Set<number>
  /** Jobs that somebody else has in hand, or whose target is: to be tried again. */
  aside: Set<number>
  /** Jobs for which there was no room or no time in this batch. */
  left: Set<number>
  /** The new Tasks that the claimer has now. */
  tasks: ClaimedTask[]
}

/**
 * Advances Jobs: read, decide, write, many of them in one transaction. What one of them does keeps no other from going on:
 * what is locked is put aside, and where a batch cannot be written it is halved until the one that is to blame stands
 * alone, which then stops in error and says why.
 */
export interface Advancer {
  /** Those whose moment has come, up to a limit. */
  due(limit: number): Promise<Advanced>
  /** Those for which something arrived, by Job. An answer whose claim is not the present one moves nothing. */
  deliver(answers: ReadonlyMap<number, Answer>, claimer?: Claimer): Promise<Advanced>
}

/** How long a batch may take to decide, in milliseconds; what is left of it comes with the next one. */
const batchMs = 250
/** How long one may keep others of the process from their turn, in milliseconds. */
const turnMs = 10

/** The answers to these Jobs. */
function among(answers: ReadonlyMap<number, Answer>, ids: readonly number[]): ReadonlyMap<number, Answer> {
  const own = ids.flatMap((id): [number, Answer][] => {
    const answer = answers.get(id)
    return answer ? [[id, answer]] : []
  })
  return new Map(own)
}

const nothing = (): Advanced => ({ moved: new Set(), aside: new Set(), left: new Set(), tasks: [] })

interface Batch {
  which: SQL
  answers: ReadonlyMap<number, Answer>
  claimer?: Claimer | undefined
  /** Jobs that are known to be wanted; unknown where the database finds them. */
  ids?: readonly number[]
  /** After a batch was held up: it is asked first what is locked. */
  isCareful?: boolean
  /** It has failed by itself before, by nothing that the database said. */
  hasFailed?: boolean
}

export function createAdvancer(engine: Engine): Advancer {
  const programs: ProgramCache = createProgramCache()

  /** One batch in one transaction. Says which Jobs it had, also when it fails. */
  async function move(tx: Db, batch: Batch, had: Set<number>): Promise<Advanced> {
    const { answers, claimer, ids = [] } = batch
    const { locked, left: tooMuch } = await lockJobs(tx, batch.which)
    for (const id of [...locked, ...tooMuch]) had.add(id)
    const left = new Set(tooMuch)
    const aside = new Set(ids.filter(id => !had.has(id)))
    const answered = answers.size
      ? await lockAnswered(engine, tx, answers, locked)
      : { present: new Set(), held: new Set() }
    for (const id of answered.held) aside.add(id as number)
    const works = await loadWork(
      engine,
      tx,
      programs,
      locked.filter(id => !answered.held.has(id) && (!answers.has(id) || answered.present.has(id))),
    )
    const live = works.filter(one => one.job.outcome === null)
    const heldUp = batch.isCareful ? await findHeldUp(tx, live) : new Set<number>()
    const transitions: Transition[] = []
    const startedAt = performance.now()
    let turnAt = startedAt
    for (const work of live) {
      const { id } = work.job
      // One at least: a machine that stands still for as long would move none, and take that for nothing to do.
      const isLate = transitions.length > 0 && performance.now() - startedAt > batchMs
      if (heldUp.has(id) || isLate) {
        ;(heldUp.has(id) ? aside : left).add(id)
        continue
      }
      const answer = answers.get(id)
      // The Task that was answered is out no more.
      const own = answer?.task !== undefined && work.out?.id === answer.task.id ? { ...work, out: undefined } : work
      transitions.push(advanceOrSay(engine, own, answer))
      if (performance.now() - turnAt > turnMs) {
        await nextTurn()
        turnAt = performance.now()
      }
    }
    const moved = new Set(transitions.map(one => one.job.id))
    await deleteAnswered(
      engine,
      tx,
      [...answers].filter(([id]) => moved.has(id)).map(([, answer]) => answer),
    )
    const tasks = await writeTransitions(engine, tx, transitions, claimer)
    await postponeJobs(engine, tx, [...heldUp])
    return { moved, aside, left, tasks }
  }

  async function run(batch: Batch): Promise<Advanced> {
    const had = new Set<number>()
    try {
      return await inShortTransaction(engine.database, tx => {
        had.clear()
        return move(tx, batch, had)
      })
    } catch (error) {
      const ids = [...(batch.ids ?? had)]
      if (isConnectionError(error) || !ids.length) throw error
      const again = { ...batch, ids, which: jobsById(ids) }
      if (isLockTimeout(error)) {
        if (!batch.isCareful) return run({ ...again, isCareful: true })
        if (ids.length === 1) return putAside(ids)
      } else if (ids.length === 1) {
        // What neither the database nor a rule of ours has said may be of the moment: it is tried once more.
        const isSaid = sqlState(error) !== undefined || isContractorError(error)
        return isSaid || batch.hasFailed ? blame(ids[0] as number, batch, error) : run({ ...again, hasFailed: true })
      }
      return halve(again, ids)
    }
  }

  /** One after the other: capacity that the first half has taken up is not there for the second. */
  async function halve(batch: Batch, ids: readonly number[]): Promise<Advanced> {
    const half = Math.ceil(ids.length / 2)
    const total = nothing()
    for (const part of [ids.slice(0, half), ids.slice(half)]) {
      const answers = among(batch.answers, part)
      // Whoever asked gets new Tasks another time: this is no moment to reckon with its capacity.
      add(total, await run({ ...batch, ids: part, which: jobsById(part), answers, claimer: undefined }))
    }
    return total
  }

  const add = (total: Advanced, { moved, aside, left, tasks }: Advanced) => {
    for (const id of moved) total.moved.add(id)
    for (const id of aside) total.aside.add(id)
    for (const id of left) total.left.add(id)
    total.tasks.push(...tasks)
  }

  async function putAside(ids: readonly number[]): Promise<Advanced> {
    await inShortTransaction(engine.database, tx => postponeJobs(engine, tx, ids)).catch(error => {
      if (!isLockTimeout(error)) throw error
    })
    return { ...nothing(), aside: new Set(ids) }
  }

  async function blame(id: number, { answers }: Batch, error: unknown): Promise<Advanced> {
    const isHad = await blameJob(engine, programs, id, answers.get(id), error)
    return isHad ? { ...nothing(), moved: new Set([id]) } : { ...nothing(), aside: new Set([id]) }
  }

  return {
    due: limit => run({ which: dueJobs(engine, limit), answers: new Map() }),
    async deliver(answers, claimer) {
      const total = nothing()
      for (let ids = [...answers.keys()]; ids.length; ids = [...total.left]) {
        total.left.clear()
        const own = among(answers, ids)
        // The claimer's capacity is reckoned with in the first batch alone.
        const capacity = own.size === answers.size ? claimer : undefined
        add(total, await run({ ids, which: jobsById(ids), answers: own, claimer: capacity }))
      }
      return total
    },
  }
}

/** A Job that cannot even be advanced says so, and does not keep the others from it. */
function advanceOrSay(engine: Engine, work: Work, answer: Answer | undefined): Transition {
  try {
    return advance(engine, work, answer?.arrival)
  } catch (error) {
    const message = `The Foreman could not advance this Job: ${error instanceof Error ? error.message : String(error)}`
    engine.log('error', message, { job: work.job.id })
    return stopped(work, work.job.vm ?? null, 'error', message)
  }
}
