import { quantile, rounded, timeOf } from './figures.ts'
import type { Workshop } from './workshop.ts'

const rounds = 20
const warmRounds = 5
/** Finished Jobs of a Foundation: also of the one that is deleted while there are no others. */
const jobsEach = 100
const agent = { name: 'bench', sites: ['lab'], modules: ['press'] }
const request = { agent: 'bench', modules: { press: { slots: 4 } }, waitMs: 0 }

/**
 * For what is measured with and without Jobs that are over: BluePrints of a Foundation that is built by one Task, and of a
 * Structure that waits for it. Gives Foundations that have had no Jobs yet.
 */
export async function prepareFinished({ contractor, addFoundations }: Workshop): Promise<string[]> {
  await contractor.scripts.put({ name: 'build-cot', source: 'press.stamp( number=1 )' })
  await contractor.scripts.put({ name: 'build-sleeper', source: "pause( msg='asleep' )" })
  await contractor.blueprints.put({ kind: 'foundation', name: 'cot', scripts: { create: 'build-cot' } })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'sleeper',
    foundationBlueprints: ['cot'],
    scripts: { create: 'build-sleeper' },
  })
  return addFoundations('new', warmRounds + rounds, 'cot')
}

/** So many Jobs that are over, each with a step and an event, spread over Foundations. Gives some of these. */
export async function addFinished(workshop: Workshop, count: number): Promise<string[]> {
  const locators = await addPast(workshop, 'past', Math.ceil(count / jobsEach))
  return locators.slice(0, warmRounds + rounds)
}

async function addPast({ sql, addFoundations }: Workshop, prefix: string, foundations: number): Promise<string[]> {
  const locators = await addFoundations(prefix, foundations, 'cot')
  // Ended at one time or another of the last sixty days: within the retention.
  await sql`
    insert into contractor.job
      (foundation, action, program_id, state, outcome, progress, created_by, created_at, updated_at, finished_at)
    select ${prefix} || '-' || (n % ${foundations}::int + 1), 'create', script.program_id, 'done', 'completed', 100, 'bench',
      ended - interval '1 hour', ended, ended
    from contractor.script, generate_series(0, ${foundations * jobsEach - 1}::int) as n
      cross join lateral (select now() - interval '60 days' * (1 - n::float8 / ${foundations * jobsEach}::float8) as ended) as moment
    where script.name = 'build-cot' order by n`
  await sql`
    insert into contractor.step (job, module, function, "end", request, reply, agent, call, started_at, ended_at)
    select id, 'press', 'stamp', case id % 2 when 0 then 'done' else 'result' end, '{"number":1}', '{"stamped":1}', 'bench',
      case id % 2 when 0 then '{"id":"past","state":{},"ask":"request","failures":0}'::jsonb end, created_at, finished_at
    from contractor.job where foundation like ${`${prefix}-%`} order by id`
  await sql`
    insert into contractor.event (place, at, type, by, job, foundation, data)
    select nextval('contractor.event_place_seq'), finished_at, 'job.completed', 'foreman', id, foundation, '{"action":"create"}'
    from (select * from contractor.job where foundation like ${`${prefix}-%`} order by id) as ended`
  // As autovacuum does soon after so many rows have come.
  await sql`vacuum analyze`
  return locators
}

type Kind = 'end' | 'order' | 'delete' | 'explain' | 'forget' | 'list'

/**
 * Per round, a Foundation with a Structure that waits for it: ordered, explained, and built by the one answer that ends its
 * Job and wakes the Structure's. And the deletion of a Foundation with all its Jobs, a look for what is old, and a list of
 * the Jobs that are in error, of which there are none.
 */
export async function measureFinished(workshop: Workshop, locators: readonly string[], prefix: string) {
  const { contractor } = workshop
  const times: Record<Kind, number[]> = { end: [], order: [], delete: [], explain: [], forget: [], list: [] }
  const gone = await addPast(workshop, `${prefix}-gone`, locators.length)
  for (const [round, locator] of locators.entries()) {
    const timed = async (kind: Kind, run: () => Promise<unknown>) => {
      const ms = await timeOf(run)
      if (round >= warmRounds) times[kind].push(ms)
    }
    const hostname = `${prefix}-${round}`
    const structure = await contractor.structures.create({
      hostname,
      site: 'lab',
      blueprint: 'sleeper',
      foundation: locator,
    })
    await timed('order', () => contractor.jobs.create({ foundation: locator }, 'create'))
    const waiting = await contractor.jobs.create({ structure: structure.id }, 'create')
    await contractor.foreman.runDue()
    await timed('explain', () => contractor.jobs.explain(waiting.id))
    const [task] = await contractor.dispatch.claim(agent, request)
    if (!task) throw new Error(`There is no Task for ${locator}`)
    const { taskId, claimToken } = task
    await timed('end', async () => {
      await contractor.dispatch.results(agent, [{ taskId, claimToken, result: { stamped: 1 } }])
      await contractor.foreman.runDue()
    })
    const { state } = await waiting.refresh()
    if (state !== 'paused') throw new Error(`The Structure on ${locator} was not woken: its Job is ${state}`)
    await timed('delete', () => contractor.foundations.delete(String(gone[round])))
    await timed('forget', () => contractor.foreman.forget())
    await timed('list', () => contractor.jobs.list({ state: 'error' }))
  }
  return Object.fromEntries(
    Object.entries(times).map(([kind, all]) => [`${kind}Ms`, rounded(quantile(all, 0.5))]),
  ) as Record<`${Kind}Ms`, number>
}
