import { cutText, type Json, mendText } from '@contractor/contract'
import type { LogLine, TaskReport } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { scrub } from '../../engine/seal.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { HeldTask } from './held-tasks.ts'

/** What a running handler tells, of a Task that its agent holds. */
export interface Reported {
  task: HeldTask
  report: TaskReport
}

/** Keeps what handlers have logged, beside the Task's row: nobody has to be waited for. A line that was told before is known by its place. */
export async function keepLines(
  engine: Engine,
  tx: Db,
  logged: readonly { task: HeldTask; lines: readonly LogLine[] | undefined }[],
): Promise<void> {
  const rows = logged.flatMap(({ task, lines = [] }) => {
    const shown = shower(engine, task)
    return lines.map(line => ({ ...line, job: task.job, task: task.id, text: shown(line.text) }))
  })
  if (!rows.length) return
  await executePrepared(
    tx,
    sql`insert into contractor.task_line (job, task, place, at, text)
        select job, task, place, to_timestamp(at / 1000), text
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as new(job bigint, task bigint, place int, at double precision, text text)
        on conflict do nothing`,
  )
}

interface Moved extends Record<string, unknown> {
  id: string
  message: string
  progress: number
  action: string
  foundation: string | null
  structure: number | null
  dependency: number | null
}

/** Shows of Jobs how far their Tasks are. One that somebody else has in hand shows it with the next report. */
export async function showProgress(engine: Engine, tx: Db, reported: readonly Reported[]): Promise<void> {
  const rows = reported.flatMap(({ task, report: { progress, message } }) => {
    if (progress === undefined && message === undefined) return []
    const what = message === undefined ? `${task.module}.${task.function}` : shower(engine, task)(message)
    const percent = progress === undefined ? '' : ` (${Math.floor(progress)} %)`
    return [{ job: task.job, task: task.id, message: what + percent, progress: progress ?? 0 }]
  })
  if (!rows.length) return
  const moved = await executePrepared<Moved>(
    tx,
    sql`with said as (
          select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as said(job bigint, task bigint, message text, progress double precision)),
        free as (
          select job.id from contractor.job where id in (select job from said) and state = 'queued'
          for no key update skip locked)
        update contractor.job set message = said.message, version = job.version + 1, updated_at = ${engine.clock.now()},
          progress = greatest(job.progress, progress_from + (progress_to - progress_from) * said.progress / 100)
        from said join contractor.task on task.id = said.task
        where job.id = said.job and job.id in (select id from free) and task.revoked_at is null
          and (job.message <> said.message
            or job.progress < progress_from + (progress_to - progress_from) * said.progress / 100)
        returning job.id::text, job.message, job.progress, job.action, job.foundation, job.structure, job.dependency`,
  )
  if (!moved.length) return
  await recordEvents(
    engine,
    tx,
    moved.map(({ id, message, progress, action, ...target }) => ({
      type: 'job.progress' as const,
      by: 'foreman',
      job: Number(id),
      foundation: target.foundation,
      structure: target.structure,
      dependency: target.dependency,
      data: { action, message, progress },
    })),
  )
}

/** Makes texts of an agent such as can be kept and shown: without the secrets that it was given. */
function shower(engine: Engine, task: HeldTask): (text: string) => string {
  let given: string[]
  try {
    given = engine.seals.plainTexts(task.params as Json)
  } catch {
    // Its secrets cannot be opened here any more, and so not be told from other text.
    return () => '***'
  }
  return text => cutText(mendText(String(scrub(text, given))), 2000)
}
