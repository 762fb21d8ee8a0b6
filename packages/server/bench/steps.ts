import postgres from 'postgres'
import { startAgent, startServer } from './programs.ts'
import { openWorkshop, stepsScript, type Workshop } from './workshop.ts'

const jobs = 1000
const steps = 10
/** What an agent may run at once, at the most. */
const concurrency = 1000
const updateConnections = 4
const updateMs = 4000

/**
 * External steps a second with one server and one agent process, through HTTP, and beside it what the database itself
 * can commit. Both are warm: each process has run its code before it is measured, as it has in production.
 */
export async function measureSteps() {
  const workshop = await openWorkshop({ script: stepsScript(steps) })
  try {
    const stepsPerSecond = await runJobs(workshop)
    const updateTps = await runUpdates(workshop.database)
    return {
      jobs,
      steps,
      stepsPerSecond: Math.round(stepsPerSecond),
      updateTps: Math.round(updateTps),
      ratio: Number((stepsPerSecond / updateTps).toFixed(2)),
    }
  } finally {
    await workshop.close()
  }
}

async function runJobs(workshop: Workshop): Promise<number> {
  const warm = await workshop.addFoundations('warm', 300)
  const measured = await workshop.addFoundations('bed', jobs)
  const server = await startServer(workshop.database)
  try {
    const agent = await startAgent(server.url, workshop.agentToken, concurrency)
    try {
      await workshop.order(warm)
      await workshop.finished('warm', warm.length)
      await workshop.order(measured)
      const startedAt = performance.now()
      await workshop.finished('bed', jobs)
      return (jobs * steps * 1000) / (performance.now() - startedAt)
    } finally {
      await agent.end()
    }
  } finally {
    await server.end()
  }
}

/** Committed UPDATEs of single rows a second, from four connections that each ask for the next when one is done. */
async function runUpdates(database: string): Promise<number> {
  const sql = postgres(database, { max: updateConnections, onnotice: () => undefined })
  try {
    await sql`create table counter as select n as id, 0 as value from generate_series(0, 999) as n`
    await sql`alter table counter add primary key (id)`
    const run = async (first: number, until: number): Promise<number> => {
      let count = 0
      for (; performance.now() < until; count++) {
        // Each connection has rows of its own: none waits for another's lock.
        const id = (first + count * updateConnections) % 1000
        await sql`update counter set value = value + 1 where id = ${id}`
      }
      return count
    }
    const connections = Array.from({ length: updateConnections }, (_, index) => index)
    const runAll = async (ms: number) => {
      const until = performance.now() + ms
      const counts = await Promise.all(connections.map(first => run(first, until)))
      return counts.reduce((sum, count) => sum + count, 0)
    }
    await runAll(1000)
    const startedAt = performance.now()
    return ((await runAll(updateMs)) * 1000) / (performance.now() - startedAt)
  } finally {
    await sql.end()
  }
}
