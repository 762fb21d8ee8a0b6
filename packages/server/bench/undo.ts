import { ratios, rounded, timeOf } from './figures.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const agent = { name: 'bench', sites: ['lab'], modules: ['press'] }
const claim = { agent: 'bench', modules: { press: { slots: 1 } }, waitMs: 0 }
const warmSteps = 200

/** Who undoes a call: its function by itself, many in one transaction, or an agent, which is asked for each. */
const functions = { itself: 'ink', agent: 'emboss' } as const
type By = keyof typeof functions

/** Of a Job with so many calls that can be undone: what the undoing of one costs. */
export async function measureUndo(sizes: readonly number[]) {
  const lines: Record<string, unknown>[] = []
  for (const by of Object.keys(functions) as By[]) {
    let first: Record<string, number> | undefined
    for (const steps of sizes) {
      const cost = await undoSteps(by, steps)
      lines.push({ by, steps, ...cost, ...(first && { ratio: ratios(cost, first) }) })
      first ??= cost
    }
  }
  return lines
}

async function undoSteps(by: By, steps: number) {
  const workshop = await openWorkshop({ script: `pause( msg='look' )` })
  try {
    const [warm, bed] = await workshop.addFoundations('bed', 2)
    await runAndUndo(workshop, String(warm), by, warmSteps)
    const { ms, bytes } = await runAndUndo(workshop, String(bed), by, steps)
    return { stepMs: rounded(ms / steps), stepBytes: Math.round(bytes / steps) }
  } finally {
    await workshop.close()
  }
}

async function runAndUndo(workshop: Workshop, locator: string, by: By, steps: number) {
  const { contractor, sql } = workshop
  const { id } = await contractor.jobs.create({ foundation: locator }, 'create')
  await workUntil(workshop, id, 'paused')
  await addSteps(workshop, id, by, steps)
  const [before] = await sql<{ lsn: string }[]>`select pg_current_wal_insert_lsn() as lsn`
  const ms = await timeOf(async () => {
    await contractor.jobs.apply(id, 'undo')
    await workUntil(workshop, id, 'done')
  })
  const [after] = await sql<{ bytes: string }[]>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${String(before?.lsn)}::pg_lsn) as bytes`
  const [left] = await sql<{ count: number }[]>`
    select count(*)::int as count from contractor.step where job = ${id} and call is not null and undone_at is null`
  if (left?.count) throw new Error(`${left.count} steps of Job ${id} are not undone`)
  return { ms, bytes: Number(after?.bytes) }
}

/** As if its script had made so many calls: to make them takes an agent as long as to undo them. */
async function addSteps({ sql }: Workshop, job: number, by: By, count: number): Promise<void> {
  const state = by === 'itself' ? { number: 1 } : { params: { number: 1 }, reply: { value: { stamped: 1 } } }
  await sql`
    insert into contractor.step (job, module, function, "end", call, started_at, ended_at)
    select ${job}, 'press', ${functions[by]}, 'done', jsonb_build_object('id', gen_random_uuid(), 'state', ${sql.json(state)}::jsonb,
      'ask', 'request', 'failures', 0, 'asked', 1), now(), now()
    from generate_series(1, ${count}::int)`
  // As autovacuum does soon after so many rows have come.
  await sql`vacuum analyze contractor.step`
}

/** Does what is due, and is the agent of what is to be asked, until the Job stands there. */
async function workUntil({ contractor }: Workshop, id: number, end: 'paused' | 'done'): Promise<void> {
  for (;;) {
    await contractor.foreman.runDue()
    let tasks = await contractor.dispatch.claim(agent, claim)
    while (tasks.length) {
      const results = tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { stamped: 1 } }))
      tasks = (await contractor.dispatch.exchange(agent, { results, claim })).tasks
    }
    const { state, message } = await contractor.jobs.get(id)
    if (state === end) return
    if (state !== 'queued') throw new Error(`Job ${id} is ${state} and not ${end}: ${message}`)
  }
}
