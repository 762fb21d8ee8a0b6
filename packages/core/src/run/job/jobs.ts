import {
  ContractorError,
  type Explanation,
  type idPageRequest,
  type JobView,
  type Json,
  jobAnswer,
  jobMessage,
  jobOrder,
  jobQuery,
  jobView,
  nouns,
  type Page,
  parseInput,
  type Step,
} from '@contractor/contract'
import { and, eq, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import { job } from '../../database/job-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import type { Events } from '../../event/events.ts'
import { recordEvents } from '../../event/record-events.ts'
import { defineFilterable } from '../../filter/filterable.ts'
import type { JobRow, TargetRef } from '../../graph/target.ts'
import { type Bound, bindMethods } from '../../noun/bind.ts'
import { listRows, matching, toPage } from '../../noun/list-rows.ts'
import { notFound } from '../../noun/refuse.ts'
import { listSteps } from '../history/step.ts'
import { createJob } from './create-job.ts'
import { explainJob } from './explain-job.ts'
import { type JobEvent, toJobView } from './job.ts'
import { applyVerb, type Verb } from './job-verbs.ts'
import { type WaitOptions, waitCompleted } from './wait-completed.ts'

export interface Job extends JobView, Bound<Jobs, Verb | 'setMessage' | 'explain'> {
  /** The Job as it is now. */
  refresh(options?: CallOptions): Promise<Job>
  /** What it has done so far, oldest first. */
  history(options?: CallOptions): Promise<Step[]>
  /**
   * Waits until it is completed, and gives it as it is then. Throws JOB_FAILED with its reason when it stops in error, is
   * aborted, cancelled or undone; TIMED_OUT; the signal's own reason; CLOSED when the engine is closed.
   */
  completed(options?: WaitOptions): Promise<Job>
  /** What happens to it, from its beginning, until it is done, aborted or deleted, or the signal aborts. */
  watch(options?: { signal?: AbortSignal }): AsyncGenerator<JobEvent>
}

export interface ResumeOptions extends CallOptions {
  /** What the operator says, 2,000 characters at the most; also kept in the event. */
  answer?: string
}

export interface Jobs {
  create(target: TargetRef, action: string, options?: CallOptions): Promise<Job>
  /** Orders a whole stack at once: all of the Jobs, or none. */
  createMany(orders: readonly z.input<typeof jobOrder>[], options?: CallOptions): Promise<Job[]>
  get(id: number, options?: CallOptions): Promise<Job>
  list(query?: z.input<typeof jobQuery>, options?: CallOptions): Promise<Page<Job>>
  /** What an operator may do with a Job, with the verb as an argument; WRONG_STATE where its state does not allow it. */
  apply(id: number, verb: Verb, options?: CallOptions): Promise<Job>
  pause(id: number, options?: CallOptions): Promise<Job>
  /** Continues a paused Job; a function that has asked for an answer gets it. */
  resume(id: number, options?: ResumeOptions): Promise<Job>
  /** Tries the failed step of a Job in error again. */
  reset(id: number, options?: CallOptions): Promise<Job>
  /** Has the call that failed take itself back, by its own `rollback`; the Job then stops there in error, for a `reset` or an `undo`. */
  rollback(id: number, options?: CallOptions): Promise<Job>
  /** Undoes what the Job has done, the last call first, and ends it. */
  undo(id: number, options?: CallOptions): Promise<Job>
  /** While it is being undone: leaves the call that cannot be undone as it is, and goes on with the one before. */
  skip(id: number, options?: CallOptions): Promise<Job>
  /** Ends it where it is. What it has done so far stays done. */
  cancel(id: number, options?: CallOptions): Promise<Job>
  /** Sets the line that is shown of it, until it moves on. */
  setMessage(id: number, message: string, options?: CallOptions): Promise<Job>
  /** Why it is where it is, in words and as data, and what can be done. */
  explain(id: number, options?: CallOptions): Promise<Explanation>
  /** What a Job has done, oldest first; also of a Job that is gone. */
  history(id: number, page?: z.input<typeof idPageRequest>, options?: CallOptions): Promise<Page<Step>>
}

const asked = { filterable: defineFilterable('Job', jobView, job) }

export function createJobs(engine: Engine, events: Events): Jobs {
  const jobs: Jobs = surface(engine, {
    async create(target, action, options = {}) {
      return toJob(await transaction(engine, options, tx => createJob(engine, tx, target, action, whoIs(options))))
    },
    async createMany(orders, options = {}) {
      const parsed = parseInput(z.array(jobOrder).max(10_000), orders, 'The orders')
      const rows = await transaction(engine, options, async tx => {
        const made: JobRow[] = []
        for (const { action, ...target } of parsed) {
          made.push(await createJob(engine, tx, target as TargetRef, action, whoIs(options)))
        }
        return made
      })
      return rows.map(toJob)
    },
    async get(id, options = {}) {
      const [row] = await (options.tx ?? engine.db).select().from(job).where(eq(job.id, id))
      if (!row) throw notFound('Job', id)
      return toJob(row)
    },
    async list(query = {}, options = {}) {
      const { after, limit, live, filter, ...narrowed } = parseInput(jobQuery, query, 'The query for Jobs')
      // Few of all Jobs there were: these are found by their index.
      const isLive = live || (narrowed.state !== undefined && narrowed.state !== 'done')
      const where = [...matching(job, narrowed), isLive ? isNull(job.outcome) : undefined]
      const place = { key: job.id, where, asked }
      const rows = await listRows(options.tx ?? engine.db, job, { after, limit, filter }, place)
      return toPage(rows, limit, row => row.id, toJob)
    },
    apply: (id, verb, options) => apply(id, verb, options),
    pause: (id, options) => apply(id, 'pause', options),
    resume: (id, options = {}) => {
      const answer = options.answer === undefined ? undefined : parseInput(jobAnswer, options.answer, 'The answer')
      return apply(id, 'resume', options, answer)
    },
    reset: (id, options) => apply(id, 'reset', options),
    rollback: (id, options) => apply(id, 'rollback', options),
    undo: (id, options) => apply(id, 'undo', options),
    skip: (id, options) => apply(id, 'skip', options),
    cancel: (id, options) => apply(id, 'cancel', options),
    async setMessage(id, text, options = {}) {
      const message = parseInput(jobMessage, text, 'The message')
      return transaction(engine, options, async tx => {
        const [row] = await tx
          .update(job)
          .set({ message, version: sql`${job.version} + 1`, updatedAt: engine.clock.now() })
          .where(and(eq(job.id, id), isNull(job.outcome)))
          .returning()
        if (!row) {
          const { state } = await jobs.get(id, { tx })
          throw new ContractorError('WRONG_STATE', `Job ${id} is over`, { kind: 'Job', id, state })
        }
        const { foundation, structure, dependency } = row
        await recordEvents(engine, tx, [
          { type: 'job.message', by: whoIs(options), job: id, foundation, structure, dependency, data: { message } },
        ])
        return toJob(row)
      })
    },
    explain: (id, options = {}) => transaction(engine, options, tx => explainJob(engine, tx, id)),
    history: (id, page = {}, options = {}) => listSteps(options.tx ?? engine.db, id, page),
  })

  const apply = async (id: number, verb: Verb, options: CallOptions = {}, answer?: string): Promise<Job> =>
    toJob(await transaction(engine, options, tx => applyVerb(engine, tx, id, verb, { by: whoIs(options), answer })))

  const toJob = (row: JobRow): Job => {
    return {
      ...bindMethods(nouns.job, jobs, row.id, toJobView(row) as Job),
      async history(options) {
        const steps: Step[] = []
        for (let after: string | undefined; ; ) {
          const page = await jobs.history(row.id, { limit: 1000, ...(after !== undefined && { after }) }, options)
          steps.push(...page.items)
          if (page.next === undefined) return steps
          after = page.next
        }
      },
      completed: (options = {}) => waitCompleted(engine, events, () => jobs.get(row.id), options),
      async *watch({ signal } = {}) {
        let state: JobView['state'] = 'waiting'
        let message = ''
        let progress = 0
        const isOver = async () => {
          const [found] = await engine.db.select({ state: job.state }).from(job).where(eq(job.id, row.id))
          return !found || found.state === 'done' || found.state === 'aborted'
        }
        for await (const event of events.watch({ after: '0', job: row.id, signal, isOver })) {
          state = stateAfter[event.type] ?? state
          const data: Record<string, Json> = event.data
          message = typeof data.message === 'string' ? data.message : ''
          progress = typeof data.progress === 'number' ? Math.floor(data.progress) : progress
          yield { cursor: event.cursor, at: event.at, type: event.type, state, message, progress }
          if (state === 'done' || state === 'aborted') return
        }
      },
    }
  }
  return jobs
}

const stateAfter: Readonly<Record<string, JobView['state']>> = {
  'job.created': 'waiting',
  'job.waiting': 'waiting',
  'job.started': 'queued',
  'job.progress': 'queued',
  'job.resumed': 'queued',
  'job.reset': 'queued',
  'job.paused': 'paused',
  'job.error': 'error',
  'job.aborted': 'aborted',
  'job.completed': 'done',
  'job.cancelled': 'done',
  'job.undoing': 'queued',
  'job.skipped': 'queued',
  'job.rolled-back': 'queued',
  'job.undone': 'done',
}
