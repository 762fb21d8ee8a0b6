import { and, asc, eq, gt, isNull, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import { job } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import type { Events } from '../event/events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'
import { createJob } from './create-job.ts'
import { type JobEvent, type JobView, jobStates, toJobView } from './job.ts'
import { applyVerb, type Verb } from './job-verbs.ts'
import type { JobRow, TargetRef } from './target.ts'

export interface Job extends JobView {
  /** The Job as it is now. */
  refresh(options?: CallOptions): Promise<Job>
  pause(options?: CallOptions): Promise<Job>
  /** Continues a paused Job. */
  resume(options?: CallOptions): Promise<Job>
  /** Tries the failed step of a Job in error again. */
  reset(options?: CallOptions): Promise<Job>
  /** Ends it where it is. What it has done so far stays done. */
  cancel(options?: CallOptions): Promise<Job>
  /** What happens to it, from its beginning, until it is done or aborted or the signal aborts. */
  watch(options?: { signal?: AbortSignal }): AsyncGenerator<JobEvent>
}

export const jobQuery = pageRequest.extend({
  state: z.enum(jobStates).optional(),
  foundation: z.string().optional(),
  structure: z.coerce.number().int().optional(),
  /** Only Jobs that are not over. */
  live: z.stringbool().or(z.boolean()).optional(),
})

export interface Jobs {
  create(target: TargetRef, action: string, options?: CallOptions): Promise<Job>
  get(id: number, options?: CallOptions): Promise<Job>
  list(query?: z.input<typeof jobQuery>, options?: CallOptions): Promise<Page<Job>>
  /** pause, resume, reset or cancel; WRONG_STATE where the Job's state does not allow it. */
  apply(id: number, verb: Verb, options?: CallOptions): Promise<Job>
}

export function createJobs(engine: Engine, events: Events): Jobs {
  const jobs: Jobs = {
    async create(target, action, options = {}) {
      return toJob(await transaction(engine, options, tx => createJob(engine, tx, target, action, whoIs(options))))
    },
    async get(id, options = {}) {
      const [row] = await (options.tx ?? engine.db).select().from(job).where(eq(job.id, id))
      if (!row) throw new ContractorError('NOT_FOUND', `Job ${id} does not exist`, { kind: 'Job', id })
      return toJob(row)
    },
    async list(query = {}, options = {}) {
      const { after, limit, state, foundation, structure, live } = parseInput(jobQuery, query, 'The query for Jobs')
      const conditions: (SQL | undefined)[] = [
        after === undefined ? undefined : gt(job.id, Number(after)),
        state && eq(job.state, state),
        foundation === undefined ? undefined : eq(job.foundation, foundation),
        structure === undefined ? undefined : eq(job.structure, structure),
        live ? isNull(job.outcome) : undefined,
      ]
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(job)
        .where(and(...conditions))
        .orderBy(asc(job.id))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.id, toJob)
    },
    async apply(id, verb, options = {}) {
      return toJob(await transaction(engine, options, tx => applyVerb(engine, tx, id, verb, whoIs(options))))
    },
  }

  const toJob = (row: JobRow): Job => {
    const apply = (verb: Verb) => (options?: CallOptions) => jobs.apply(row.id, verb, options)
    return {
      ...toJobView(row),
      refresh: options => jobs.get(row.id, options),
      pause: apply('pause'),
      resume: apply('resume'),
      reset: apply('reset'),
      cancel: apply('cancel'),
      async *watch({ signal } = {}) {
        let state: JobView['state'] = 'waiting'
        let message = ''
        let progress = 0
        for await (const event of events.watch({ after: '0-0', job: row.id, signal })) {
          state = stateAfter[event.type] ?? state
          message = typeof event.data.message === 'string' ? event.data.message : ''
          progress = typeof event.data.progress === 'number' ? Math.floor(event.data.progress) : progress
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
}
