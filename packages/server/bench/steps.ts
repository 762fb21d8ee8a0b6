import postgres from 'postgres'
import { rounded } from './figures.ts'
import { startAgent, startServer } from './programs.ts'
import { openWorkshop, stepsScript, type Workshop } from './workshop.ts'

const jobs = 1000
const steps = 10
/** What an agent may run at once, at the most. */
const concurrency = 1000
const updateConnections = 4
const updateMs = 3000
const rounds = 3

/**
 * External steps a second with one server and one agent process, through HTTP, and beside it what the database itself
 * can commit. Both are warm: each process has run its code before it is measured, as it has in production. They take
 * turns, so that what else the machine does falls on both.
 */
export async function measureSteps() {
  const workshop = await openWorkshop({ script: stepsScript(steps) })
  const updates = await openUpdates(workshop.database)
  try {
    const server = await startServer(workshop.database)
    try {
      const agent = await startAgent(server.url, workshop.agentToken, concurrency)
      try {
        await runJobs(workshop, 'warm', 300)
        await updates.run(1000)
        let jobsMs = 0
        let updated = 0
        for (let round = 0; round < rounds; round++) {
          jobsMs += await runJobs(workshop, `round${round}`, jobs)
          updated += await updates.run(updateMs)
        }
        const stepsPerSecond = (rounds * jobs * steps * 1000) / jobsMs
        const updateTps = (updated * 1000) / (rounds * updateMs)
        return {
          ...{ jobs, steps, stepsPerSecond: Math.round(stepsPerSecond), updateTps: Math.round(updateTps) },
          ratio: rounded(stepsPerSecond / updateTps),
        }
      } finally {
        await agent.end()
      }
    } finally {
      await server.end()
    }
  } finally {
    await updates.close()
    await workshop.close()
  }
}

/** From the moment when all of these are ordered until the last of them is done, in milliseconds. */
async function runJobs(workshop: Workshop, prefix: string, count: number): Promise<number> {
  await workshop.order(await workshop.addFoundations(prefix, count))
  const startedAt = performance.now()
  await workshop.finished(prefix, count)
  return performance.now() - startedAt
}

/** Committed UPDATEs of single rows, from four connections that each ask for the next when one is done. */
async function openUpdates(database: string) {
  const sql = postgres(database, { max: updateConnections, onnotice: () => undefined })
  await sql`create table counter as select n as id, 0 as value from generate_series(0, 999) as n`
  await sql`alter table counter add primary key (id)`
  const update = async (first: number, until: number): Promise<number> => {
    let count = 0
    for (; performance.now() < until; count++) {
      // Each connection has rows of its own: none waits for another's lock.
      const id = (first + count * updateConnections) % 1000
      await sql`update counter set value = value + 1 where id = ${id}`
    }
    return count
  }
  return {
    /** How many in so many milliseconds. */
    async run(ms: number): Promise<number> {
      const until = performance.now() + ms
      const counts = await Promise.all(Array.from({ length: updateConnections }, (_, first) => update(first, until)))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    close: () => sql.end(),
  }
}
