import type { Contractor } from '@contractor/core'
import { rounded, timeOf } from './figures.ts'
import { openWorkshop } from './workshop.ts'

const jobs = 10
const messages = 100
const stillMs = 10_000

/**
 * What a message of a Job costs while so many watch in one process: half of them all events, half one Job each. One
 * message after the other, each once all who watch for it have the one before; and what it costs when nothing happens.
 */
export async function measureWatchers(sizes: readonly number[]) {
  let statements = 0
  const workshop = await openWorkshop({
    script: `pause( msg='watched' )`,
    // A process says regularly that it is there, whether anybody watches or not.
    heartbeat: false,
    onStatement: () => {
      statements += 1
    },
  })
  const { contractor } = workshop
  try {
    await workshop.order(await workshop.addFoundations('bed', jobs))
    await contractor.foreman.runDue()
    const ids = (await contractor.jobs.list({ limit: jobs })).items.map(job => job.id)
    const lines = []
    for (const size of sizes) {
      const audience = await openAudience(contractor, ids, size)
      let sendMs = 0
      const send = async (at: number) => {
        const job = ids[at % jobs] as number
        const had = audience.expect(job)
        sendMs += await timeOf(() => contractor.jobs.setMessage(job, `message ${at}`))
        await had
      }
      // What each watcher reads for itself when it begins is over by then, and the code is warm.
      for (let at = 0; at < messages; at++) await send(at)
      sendMs = 0
      const before = statements
      const totalMs = await timeOf(async () => {
        for (let at = 0; at < messages; at++) await send(at)
      })
      const sent = statements - before
      await new Promise(resolve => setTimeout(resolve, stillMs))
      lines.push({
        watchers: size,
        statementsPerMessage: rounded(sent / messages),
        messageMs: rounded(sendMs / messages),
        allHaveItMs: rounded(totalMs / messages),
        statementsPerSecondStill: rounded(((statements - before - sent) * 1000) / stillMs),
      })
      await audience.close()
    }
    return lines
  } finally {
    await workshop.close()
  }
}

/** Watchers that say when all of those who watch for a Job's message have had it. */
async function openAudience(contractor: Contractor, jobs: readonly number[], size: number) {
  const stop = new AbortController()
  const after = await contractor.events.cursor()
  const watched = Array.from({ length: size }, (_, n) => (n % 2 ? jobs[(n >> 1) % jobs.length] : undefined))
  let missing = 0
  let resolve = () => {}
  const watch = async (job: number | undefined) => {
    for await (const event of contractor.events.watch({ after, job, signal: stop.signal })) {
      if (event.type === 'job.message' && --missing === 0) resolve()
    }
  }
  const watchers = watched.map(watch)
  return {
    expect(job: number): Promise<void> {
      missing = watched.filter(one => one === undefined || one === job).length
      return missing ? new Promise(done => (resolve = done)) : Promise.resolve()
    },
    async close() {
      stop.abort()
      await Promise.all(watchers)
    },
  }
}
