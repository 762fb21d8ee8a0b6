import { inArray, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { task } from '../database/job-schema.ts'
import type { Engine } from '../engine/engine.ts'
import type { Advancer } from '../foreman/advance-jobs.ts'
import type { Arrival } from '../foreman/call.ts'

/**
 * Takes Tasks away from agents that are not heard of any more. The Task is gone, so its token is worth nothing from here
 * on; its Job is told that the answer is lost, and decides by its function whether to look, to ask again, or to say so.
 */
export async function expireLeases(engine: Engine, tx: Db, advancer: Advancer, limit: number): Promise<number> {
  const expired = await tx
    .select({
      id: task.id,
      job: task.job,
      agent: task.agent,
      module: task.module,
      function: task.function,
      params: task.params,
      attempt: task.attempt,
      sinceMs: sql<string>`(extract(epoch from ${task.createdAt}) * 1000)::bigint::text`,
    })
    .from(task)
    .where(sql`${task.leaseUntil} < ${engine.clock.now()}`)
    .limit(limit)
    .for('update', { skipLocked: true })
  if (!expired.length) return 0
  await tx.delete(task).where(
    inArray(
      task.id,
      expired.map(one => one.id),
    ),
  )
  await advancer.deliver(
    tx,
    new Map(
      expired.map(({ id: _, job, ...asked }): [number, Arrival] => {
        const agent = asked.agent ?? 'that had it'
        return [job, { kind: 'lost', agent, task: { ...asked, agent, sinceMs: Number(asked.sinceMs) } }]
      }),
    ),
  )
  return expired.length
}
