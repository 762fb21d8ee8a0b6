import { ContractorError, type Explanation, type Json } from '@contractor/contract'
import type { State } from '@contractor/tscript'
import { eq, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { agent, job, task } from '../../database/job-schema.ts'
import { describeHolder, findLockHolders, isHolding } from '../../database/lock-holders.ts'
import { call as callSchema } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import { jobKind } from '../../graph/rules.ts'
import { type JobRow, jobTarget, readTarget, type Target } from '../../graph/target.ts'
import { lineAbove, siteTree } from '../../noun/tree.ts'
import { signaling } from '../module/signaling.ts'
import { everySite } from '../task/agent-identity.ts'
import { allowedVerbs } from './job-verbs.ts'

type Because = Explanation['because'][number]

export async function explainJob(engine: Engine, tx: Db, id: number): Promise<Explanation> {
  const [row] = await tx.select().from(job).where(eq(job.id, id))
  if (!row) throw new ContractorError('NOT_FOUND', `Job ${id} does not exist`, { kind: 'Job', id })
  const target = (await readTarget(tx, jobTarget(row))) as Target
  const allowed = await allowedVerbs(engine, tx, row, target)
  const because = [...(await holders(engine, tx, row, target)), ...(await reasons(engine, tx, row, target))]
  return { job: id, state: row.state, because, verbs: allowed }
}

/** Whoever has what it needs in hand at this moment: until their transactions end, it cannot go on. */
async function holders(engine: Engine, tx: Db, row: JobRow, target: Target): Promise<Because[]> {
  if (row.outcome !== null || engine.database.kind === 'pglite') return []
  const rows = {
    jobs: [row.id],
    foundations: [target.foundation.locator],
    sites: [target.foundation.site],
    structures: target.structure ? [target.structure.id] : [],
    dependencies: target.dependency ? [target.dependency.id] : [],
  }
  return (await findLockHolders(tx, rows, isHolding)).map(holder => ({
    code: 'held-up',
    text: `It is held up by ${describeHolder(holder)}: it goes on when that has ended`,
    data: { pid: holder.pid, application: holder.application, since: holder.since, state: holder.state },
  }))
}

async function reasons(engine: Engine, tx: Db, row: JobRow, target: Target): Promise<Because[]> {
  if (row.state === 'done') {
    return [{ code: 'over', text: `It is over: ${row.outcome}`, data: { outcome: row.outcome } }]
  }
  if (row.state === 'waiting') return waitingReasons(tx, row, target)
  if (row.state !== 'queued') {
    const { stop } = row.vm ?? ({} as Partial<State>)
    const line = stop && 'line' in stop ? stop.line : null
    const at = line === null ? '' : ` (line ${line} of its script)`
    const reason = row.reason ?? row.message
    return [{ code: 'stopped', text: `${reason}${at}`, data: { reason, message: row.message, line } }]
  }
  const [out] = await tx.select().from(task).where(eq(task.job, row.id))
  return out ? taskReasons(engine, tx, out) : queuedReasons(row)
}

async function waitingReasons(tx: Db, row: JobRow, target: Target): Promise<Because[]> {
  const facts = (await loadNeighbours(tx, [target])).facts(target, jobKind(row.action), row.id)
  const found: Because[] = []
  if (row.action === 'create') {
    for (const base of facts.bases.filter(one => !one.built)) {
      const how = base.job === 'create' ? 'a Job is building it' : 'and no Job builds it: order one'
      found.push({
        code: 'needs',
        text: `It needs ${base.name}, which is not built; ${how}`,
        data: { name: base.name, job: base.job ?? null },
      })
    }
    if (facts.target === 'foundation' && facts.state !== 'located' && !facts.provided) {
      found.push({
        code: 'not-located',
        text: 'Its Foundation is not located yet: locate it',
        data: { state: facts.state },
      })
    }
  } else {
    for (const dependant of facts.dependants.filter(one => !one.planned || one.hasJob)) {
      const how = dependant.hasJob ? 'a Job is at it' : 'and no Job destroys it: order one'
      found.push({
        code: 'needed-by',
        text: `${dependant.name} needs its target; ${how}`,
        data: { name: dependant.name, hasJob: dependant.hasJob },
      })
    }
  }
  return found.length
    ? found
    : [{ code: 'about-to-start', text: 'Nothing is in its way: the Foreman starts it next', data: {} }]
}

/** A Task is out: who has it, or who could have it. */
async function taskReasons(engine: Engine, tx: Db, out: typeof task.$inferSelect): Promise<Because[]> {
  const what = `${out.module}.${out.function}`
  const data: Record<string, Json> = {
    task: out.id,
    module: out.module,
    function: out.function,
    site: out.site,
    attempt: out.attempt,
  }
  if (out.claimToken !== null) {
    const until = out.leaseUntil?.toISOString() ?? null
    const text = `Agent '${out.agent}' is at ${what}, attempt ${out.attempt}; it is taken from it if it is not heard of until ${until}`
    return [{ code: 'agent-works', text, data: { ...data, agent: out.agent, leaseUntil: until } }]
  }
  if (!out.hasTurn) return turnReasons(tx, out, data)
  const agents = await agentsFor(tx, out.site, out.module)
  if (!agents.length) {
    const text = `${what} waits for an agent: none with the module '${out.module}' for the Site '${out.site}' has ever asked for work. Start one.`
    return [{ code: 'no-agent', text, data: { ...data, lastSeen: null } }]
  }
  const last = agents.reduce((a, b) => (a.seenAt > b.seenAt ? a : b))
  const [now] = await executeRows<{ fresh: boolean }>(
    tx,
    sql`select ${last.seenAt.toISOString()}::timestamptz > ${engine.clock.now()} - interval '60 seconds' as fresh`,
  )
  const seen = last.seenAt.toISOString()
  if (!now?.fresh) {
    const text = `${what} waits for an agent: none with the module '${out.module}' for the Site '${out.site}' has asked for work since ${seen} ('${last.name}'). See whether it runs.`
    return [{ code: 'no-agent', text, data: { ...data, lastSeen: seen, lastAgent: last.name } }]
  }
  const names = agents.map(one => `'${one.name}'`).join(', ')
  const text = `${what} waits for an agent to be free: ${names} asked for work at ${seen}`
  return [{ code: 'agent-busy', text, data: { ...data, agents: agents.map(one => one.name), lastSeen: seen } }]
}

/** It shares a limit with other Tasks: who is before it. */
async function turnReasons(tx: Db, out: typeof task.$inferSelect, data: Record<string, Json>): Promise<Because[]> {
  const { limitKey: key, limitAtOnce: atOnce } = out
  const [found] = await executeRows<{ jobs: number[]; before: number; until: string | null }>(
    tx,
    sql`select coalesce(json_agg(job order by id) filter (where has_turn), '[]') as jobs,
          (count(*) filter (where not has_turn and id < ${out.id}))::int as before,
          (select max(look_at)::text from contractor.limit_word word where word.key = ${key}) as until
        from contractor.task where limit_key = ${key}`,
  )
  const { jobs = [], before = 0, until = null } = found ?? {}
  const busy = jobs.length
    ? `Job ${jobs.join(' and Job ')} ${jobs.length > 1 ? 'are' : 'is'} at it`
    : `it pauses until ${until}`
  const queue = before > 0 ? `; ${before} more ${before > 1 ? 'are' : 'is'} before it` : ''
  const text = `${out.module}.${out.function} waits for its turn at '${key}', where ${atOnce} may be at once: ${busy}${queue}`
  return [{ code: 'turn', text, data: { ...data, key, atOnce, jobs, before } }]
}

/** Agents that may have work of a Site: of it, or of one above it. */
async function agentsFor(tx: Db, site: string, module: string) {
  const above = await executeRows<{ name: string }>(
    tx,
    sql`with recursive ${lineAbove(siteTree, sql`${site}`)} select name from line`,
  )
  const names = above.map(one => one.name)
  const rows = await tx.select().from(agent)
  return rows.filter(
    one => one.modules.includes(module) && one.sites.some(name => name === everySite || names.includes(name)),
  )
}

function queuedReasons(row: JobRow): Because[] {
  const until = row.wakeAt?.toISOString() ?? null
  const { pending } = row.vm ?? ({} as Partial<State>)
  const current = pending && pending.state !== null ? callSchema.safeParse(pending.state).data : undefined
  const name = pending && `${pending.module}.${pending.function}`
  if (current && current.failures > 0 && until) {
    const text = `${name} failed ${current.failures} times; try ${current.failures + 1} of ${current.attempts ?? '?'} is at ${until}`
    return [{ code: 'retry', text, data: { failures: current.failures, most: current.attempts ?? null, at: until } }]
  }
  if (pending?.module === signaling.module) {
    return [{ code: 'signal', text: 'It waits for the machine to report back', data: {} }]
  }
  if (until) return [{ code: 'timer', text: `It goes on at ${until}`, data: { at: until } }]
  return [{ code: 'running', text: row.message, data: { message: row.message } }]
}
