import type { ClaimedTask } from '@contractor/plugin/wire'
import { quantile, rounded } from './figures.ts'
import { openWorkshop, stepsScript, type Workshop } from './workshop.ts'

const notifications = 100
const served = 20
/** Without a statement for so long, nobody looks any more. */
const quietMs = 30
const identity = { name: 'bench', sites: ['lab'], modules: ['press'] }

/**
 * What it costs to say that there is a Task while so many agents of one token wait: one of another Site, which none of
 * them may have, and one that is for them, until one of them has it. The Tasks are laid out from outside, so that what is
 * counted is the polls' alone.
 */
export async function measurePolls(sizes: readonly number[]) {
  let statements = 0
  let lastAt = 0
  const workshop = await openWorkshop({
    script: stepsScript(1),
    heartbeat: false,
    onStatement: () => {
      statements += 1
      lastAt = performance.now()
    },
  })
  const settle = async () => {
    do await new Promise(resolve => setTimeout(resolve, quietMs))
    while (performance.now() - lastAt < quietMs || (await isBusy(workshop)))
  }
  try {
    await workshop.contractor.sites.create({ name: 'elsewhere' })
    const count = sizes.length * (notifications + served)
    await workshop.order(await workshop.addFoundations('bed', count))
    const layOut = await openLayOut(workshop)
    const lines = []
    for (const size of sizes) {
      const polls = openPolls(workshop, size)
      await settle()
      const lookMs: number[] = []
      const before = statements
      for (let n = 0; n < notifications; n++) {
        const startedAt = performance.now()
        await layOut('elsewhere')
        await settle()
        lookMs.push(lastAt - startedAt)
      }
      const perNotification = (statements - before) / notifications
      const servedMs: number[] = []
      const servedBefore = statements
      for (let n = 0; n < served; n++) {
        const startedAt = performance.now()
        const had = polls.next()
        await layOut('lab')
        if ((await had).length !== 1) throw new Error('One Task was laid out, and a poll has another number')
        servedMs.push(performance.now() - startedAt)
        await settle()
      }
      lines.push({
        polls: size,
        statementsPerNotification: rounded(perNotification),
        lookMs: rounded(quantile(lookMs, 0.5)),
        servedMs: rounded(quantile(servedMs, 0.5)),
        servedP95Ms: rounded(quantile(servedMs, 0.95)),
        // With those of the poll that comes again.
        statementsPerServed: rounded((statements - servedBefore) / served),
      })
      await polls.close()
    }
    return lines
  } finally {
    await workshop.close()
  }
}

/** Whether a statement or a transaction is under way: a database that stalls is no quiet one. */
async function isBusy({ sql }: Workshop): Promise<boolean> {
  const [other] = await sql`
    select from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid() and state <> 'idle' limit 1`
  return other !== undefined
}

/** So many agents that wait; whoever has had a Task comes again. */
function openPolls({ contractor }: Workshop, size: number) {
  const stop = new AbortController()
  let had: (tasks: ClaimedTask[]) => void = () => {}
  const poll = async (agent: string) => {
    while (!stop.signal.aborted) {
      const request = { agent, modules: { press: { slots: 1 } }, waitMs: 60_000 }
      const tasks = await contractor.dispatch.claim(identity, request, stop.signal)
      if (tasks.length) had(tasks)
    }
  }
  const polls = Array.from({ length: size }, (_, n) => poll(`bench-${n}`))
  return {
    next: () =>
      new Promise<ClaimedTask[]>(resolve => {
        had = resolve
      }),
    async close() {
      stop.abort()
      await Promise.all(polls)
    },
  }
}

/** Lays out a Task of a Site, for a Job that has had none, and says so as the engine does. */
async function openLayOut({ sql }: Workshop) {
  const jobs = await sql<{ id: string }[]>`select id from contractor.job`
  return async (site: string): Promise<void> => {
    const job = jobs.pop()
    if (!job) throw new Error('There is no Job left to lay out a Task for')
    await sql`
      with laid as (
        insert into contractor.task (job, site, module, function, params, created_at)
        values (${job.id}, ${site}, 'press', 'stamp', '{"number":1}', now()) returning id
      )
      select pg_notify('contractor', 'task') from laid`
  }
}
