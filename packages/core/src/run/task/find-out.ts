import { eq, sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import { task } from '../../database/job-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import type { OutTask, TaskFate } from './out-task.ts'
import { passTurns } from './take-turns.ts'

type TaskRow = Pick<
  typeof task.$inferSelect,
  'id' | 'request' | 'module' | 'function' | 'params' | 'claimToken' | 'revokedAt'
>

export const toOut = ({ id, request, module, function: name, params, claimToken, revokedAt }: TaskRow): OutTask => ({
  id,
  request,
  asks: { module, function: name, params },
  isClaimed: claimToken !== null,
  isRevoked: revokedAt !== null,
})

/** The Task of a Job that is out. The Job is locked, so it stays, but for who has it. */
export async function findOut(tx: Db, job: number): Promise<OutTask | undefined> {
  takingLock(tx, 'task')
  const [row] = await tx.select().from(task).where(eq(task.job, job)).for('update')
  return row && toOut(row)
}

/** Carries out what becomes of Tasks. One that was to be withdrawn, and that an agent has claimed meanwhile, is revoked. */
export async function dropOut(engine: Engine, tx: Db, outs: readonly { id: number; fate: TaskFate }[]): Promise<void> {
  const dropped = outs.filter(one => one.fate !== 'kept')
  if (!dropped.length) return
  const fates = sql`jsonb_to_recordset(${JSON.stringify(dropped)}::jsonb) as dropped(id bigint, fate text)`
  const passed = await executePrepared(
    tx,
    sql`with gone as (delete from contractor.task using ${fates}
          where task.id = dropped.id and (fate = 'taken' or (fate = 'withdrawn' and claim_token is null))
          returning task.limit_key, task.limit_spacing_ms, task.claim_token)
        ${passTurns(engine)}`,
  )
  if (passed.length) await notify(tx, 'job')
  await executePrepared(
    tx,
    sql`update contractor.task set revoked_at = ${engine.clock.now()} from ${fates} where task.id = dropped.id`,
  )
}
