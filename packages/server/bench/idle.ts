import { type Clock, databaseClock } from '@contractor/core'
import { sql as raw } from 'drizzle-orm'
import { quantile, rounded } from './figures.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const sizes = [0, 1000, 10_000, 100_000]
const rounds = 40
const warmRounds = 60
const hourMs = 3_600_000
const agent = { name: 'bench', sites: ['lab'], modules: ['press'] }
const request = { agent: 'bench', modules: { press: { slots: 4 } }, waitMs: 0 }

/**
 * What a claim, a result and a timer cost while so many Jobs wait: a quarter each for a timer, for the answer of an
 * agent, for an agent of another Site, and for what they stand on. In one process, so that statements can be counted.
 */
export async function measureIdle() {
  let statements = 0
  const clock = createShiftedClock()
  const workshop = await openWorkshop({
    // Every hour one Task.
    script: Array.from(
      { length: warmRounds + rounds + 1 },
      () => `delay( seconds=3600 )\npress.stamp( number=1 )`,
    ).join('\n'),
    clock,
    onStatement: () => {
      statements += 1
    },
  })
  try {
    await workshop.contractor.sites.create({ name: 'elsewhere' })
    const [only] = await workshop.addFoundations('measured', 1)
    await workshop.order([String(only)])
    await workshop.contractor.foreman.runDue()
    await measureRounds(workshop, clock, warmRounds, () => statements)
    const lines = []
    for (const [index, size] of sizes.entries()) {
      await renewMeasured(workshop, `with${size}`)
      await addWaiting(workshop, size - (sizes[index - 1] ?? 0), `waiting${size}`)
      const figures = await measureRounds(workshop, clock, rounds, () => statements)
      lines.push({ jobs: size, ...figures })
    }
    return lines
  } finally {
    await workshop.close()
  }
}

async function measureRounds({ contractor }: Workshop, clock: ShiftedClock, count: number, statements: () => number) {
  const times = { claim: [] as number[], result: [] as number[], timer: [] as number[] }
  const counts: number[] = []
  const timed = async <T>(kind: keyof typeof times, run: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    const value = await run()
    times[kind].push(performance.now() - startedAt)
    return value
  }
  for (let round = 0; round < count; round++) {
    clock.shiftMs += hourMs
    const advanced = await timed('timer', () => contractor.foreman.runDue())
    const before = statements()
    const [task, ...others] = await timed('claim', () => contractor.dispatch.claim(agent, request))
    counts.push(statements() - before)
    if (advanced !== 1 || !task || others.length) throw new Error('The measured Job is not where it should be')
    const { taskId, claimToken } = task
    const [status] = await timed('result', () =>
      contractor.dispatch.results(agent, [{ taskId, claimToken, result: { stamped: 1 } }]),
    )
    if (!status?.accepted) throw new Error(`The result was refused: ${status?.reason}`)
  }
  return {
    claimMs: rounded(quantile(times.claim, 0.5)),
    claimStatements: quantile(counts, 0.5),
    resultMs: rounded(quantile(times.result, 0.5)),
    timerMs: rounded(quantile(times.timer, 0.5)),
  }
}

/** Copies of the measured Job, which waits for a timer, in the four ways of waiting. Far off, so that none is due. */
async function addWaiting({ sql }: Workshop, count: number, prefix: string): Promise<void> {
  if (!count) return
  await sql`
    insert into contractor.foundation (locator, type, site, blueprint, state, created_at, updated_at)
    select ${prefix} || '-' || n, 'Bed', case n % 4 when 2 then 'elsewhere' else 'lab' end, 'bed',
      (case n % 4 when 3 then 'planned' else 'located' end)::contractor.foundation_state, now(), now()
    from generate_series(1, ${count}::int) as n`
  await sql`
    insert into contractor.job
      (foundation, action, program_id, state, vm, message, wake_at, created_by, created_at, updated_at)
    select ${prefix} || '-' || n, action, program_id,
      (case n % 4 when 3 then 'waiting' else 'queued' end)::contractor.job_state,
      case n % 4 when 3 then null else vm end, message,
      case n % 4 when 0 then now() + interval '10 years' end, created_by, now(), now()
    from contractor.job, generate_series(1, ${count}::int) as n
    where foundation like 'measured-%' and outcome is null`
  await sql`
    insert into contractor.task (job, site, module, function, params, claim_token, agent, lease_until, created_at)
    select job.id, foundation.site, 'press', 'stamp', '{"number":1}',
      case site when 'lab' then gen_random_uuid() end, case site when 'lab' then 'another' end,
      case site when 'lab' then now() + interval '10 years' end, now()
    from contractor.job join contractor.foundation on locator = job.foundation
    where job.foundation like ${`${prefix}-%`} and job.state = 'queued' and wake_at is null`
  // As autovacuum does soon after so many rows have come.
  await sql`vacuum analyze`
}

/** Each size is measured with a Job that is at its beginning again. */
async function renewMeasured({ contractor, sql, order, addFoundations }: Workshop, prefix: string): Promise<void> {
  const [job] = await sql<{ id: string }[]>`
    select id from contractor.job where foundation like 'measured-%' and outcome is null`
  await contractor.jobs.apply(Number(job?.id), 'cancel')
  await order(await addFoundations(`measured-${prefix}`, 1))
  await contractor.foreman.runDue()
}

interface ShiftedClock extends Clock {
  shiftMs: number
}

/** The database's clock, ahead of it by as much as is said, so that hours pass at once. */
function createShiftedClock(): ShiftedClock {
  const clock: ShiftedClock = {
    shiftMs: 0,
    now: () => raw<Date>`(now() + ${clock.shiftMs}::float8 * interval '1 millisecond')`,
    sleep: databaseClock.sleep,
  }
  return clock
}
