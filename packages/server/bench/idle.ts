import { quantile, ratios, rounded } from './figures.ts'
import { addFinished, measureFinished, prepareFinished } from './finished.ts'
import { createShiftedClock, hourMs, type ShiftedClock } from './shifted-clock.ts'
import { addWaiting } from './waiting.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const rounds = 40
const warmRounds = 60
const agent = { name: 'bench', sites: ['lab'], modules: ['press'] }
const request = { agent: 'bench', modules: { press: { slots: 4 } }, waitMs: 0 }

/**
 * What a claim, a result and a timer cost while so many Jobs wait, one size after the other: a quarter each for a timer,
 * for the answer of an agent, for an agent of another Site, and for what they stand on. Then, with the last size, the same
 * and whatever else reads Jobs with so many more that are over. In one process, so that statements can be counted.
 */
export async function measureIdle(sizes: readonly number[], finished: number) {
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
  const measure = async (prefix: string, count = rounds) => {
    await renewMeasured(workshop, prefix)
    return measureRounds(workshop, clock, count, () => statements)
  }
  try {
    await workshop.contractor.sites.create({ name: 'elsewhere' })
    const [only] = await workshop.addFoundations('measured', 1)
    await workshop.order([String(only)])
    await workshop.contractor.foreman.runDue()
    await measureRounds(workshop, clock, warmRounds, () => statements)
    const lines: Record<string, unknown>[] = []
    for (const [index, jobs] of sizes.entries()) {
      await addWaiting(workshop, jobs - (sizes[index - 1] ?? 0), `waiting${jobs}`)
      lines.push({ jobs, ...(await measure(`with${jobs}`)) })
    }
    const jobs = sizes.at(-1)
    const locators = await prepareFinished(workshop)
    const both = async (prefix: string, taken: readonly string[]) => ({
      ...(await measure(prefix)),
      ...(await measureFinished(workshop, taken, prefix)),
    })
    const before = await both('none', locators)
    lines.push({ jobs, finished: 0, ...before })
    const after = await both('many', await addFinished(workshop, finished))
    lines.push({ jobs, finished, ...after, ratio: ratios(after, before) })
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

/** Each size is measured with a Job that is at its beginning again. */
async function renewMeasured({ contractor, sql, order, addFoundations }: Workshop, prefix: string): Promise<void> {
  const [job] = await sql<{ id: string }[]>`
    select id from contractor.job where foundation like 'measured-%' and outcome is null`
  await contractor.jobs.apply(Number(job?.id), 'cancel')
  await order(await addFoundations(`measured-${prefix}`, 1))
  await contractor.foreman.runDue()
}
