import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Contractor, createContractor, type Job } from '@contractor/core'
import { createServer } from '@contractor/server'
import { createSubContractor } from '@contractor/subcontractor'
import { startPostgres } from '../embedded-postgres.ts'
import { copyDatabase } from './copy-database.ts'
import { reckon } from './ledger.ts'
import { handlers } from './plugin/handlers.ts'
import { page } from './plugin/index.ts'
import { compareEvents, type Seen, toSeen } from './watcher.ts'

export interface Restored {
  isGood: boolean
  events: number
  problems: string[]
}

export interface RestoreOptions {
  /** For the ledger of what is done there. */
  folder: string
  /** How many steps a Job has. */
  steps: number
  /** What its events should be. */
  events: readonly Seen[]
}

const limitMs = 30_000
/** How many of the Jobs are watched to their ends. */
const watched = 10

/**
 * Takes a database to another server, as a dump and its restoring do, and works on there. The server is a new one: its
 * transactions count from the beginning, and whatever the engine remembers of the old ones' numbers is worth nothing.
 */
export async function restoreElsewhere(from: string, { folder, steps, events }: RestoreOptions): Promise<Restored> {
  const server = await startPostgres()
  try {
    // Makes the tables.
    await (await createContractor({ database: server.url, plugins: [page], foreman: false })).close()
    await copyDatabase(from, server.url, join(folder, 'dump'))
    const contractor = await createContractor({ database: server.url, plugins: [page] })
    try {
      const found = await listEvents(contractor)
      const { isComplete, missing, doubled, strange } = compareEvents(found, events)
      const problems = isComplete ? [] : [`Events: ${JSON.stringify({ missing, doubled, strange }).slice(0, 500)}`]
      problems.push(
        ...(await checkJobs(contractor, found)),
        ...(await workOn(contractor, join(folder, 'restored'), steps)),
      )
      return { isGood: problems.length === 0, events: found.length, problems }
    } finally {
      await contractor.close()
    }
  } catch (error) {
    return { isGood: false, events: 0, problems: [error instanceof Error ? (error.stack ?? '') : String(error)] }
  } finally {
    await server.stop()
  }
}

async function listEvents({ events }: Contractor): Promise<Seen[]> {
  const found: Seen[] = []
  for (let after = '0'; ; ) {
    const next = await events.list({ limit: 1000, after })
    found.push(...next.map(toSeen))
    const last = next.at(-1)
    if (!last) return found
    after = last.cursor
  }
}

/** Every Job has its beginning and its end among the events, and whoever watches one comes to its end. */
async function checkJobs({ jobs }: Contractor, events: readonly Seen[]): Promise<string[]> {
  const { items } = await jobs.list({ limit: 1000 })
  const problems: string[] = []
  for (const type of ['job.created', 'job.completed']) {
    const having = new Set(events.filter(one => one.type === type).map(one => one.job))
    problems.push(...items.filter(one => !having.has(one.id)).map(one => `Job ${one.id} has no event ${type}`))
  }
  for (const one of items.slice(0, watched)) problems.push(...(await watchToEnd(one)))
  return problems
}

async function watchToEnd(job: Job): Promise<string[]> {
  const signal = AbortSignal.timeout(limitMs)
  let state: string | undefined
  for await (const event of job.watch({ signal })) state = event.state
  return !signal.aborted && state === 'done' ? [] : [`Job ${job.id} does not end for its watcher: it is ${state}`]
}

/** Orders one more Job, and has it done by an agent. */
async function workOn(contractor: Contractor, ledger: string, steps: number): Promise<string[]> {
  const locator = 'restored'
  await mkdir(ledger)
  process.env.CHAOS_LEDGER = ledger
  const { items } = await contractor.foundations.list({ limit: 1 })
  const [{ site, blueprint } = { site: '', blueprint: '' }] = items
  await contractor.foundations.create({ type: 'Page', locator, site, blueprint })
  await contractor.foundations.setState(locator, 'located')
  const { secret: token } = await contractor.tokens.create({
    ...{ kind: 'agent', name: 'restored', sites: [site], modules: ['page'] },
  })
  const app = createServer(contractor)
  const agent = createSubContractor({
    ...{ server: 'http://restored', name: 'restored', token, handlers: [handlers] },
    fetch: async (input, init) => app.fetch(new Request(input, init)),
  })
  agent.start()
  try {
    const problems = await watchToEnd(await contractor.jobs.create({ foundation: locator }, 'create'))
    const { missing, doubled, strange } = await reckon(ledger, [locator], steps)
    return [...problems, ...[...missing, ...doubled, ...strange].map(step => `Step '${step}' was not done once`)]
  } finally {
    await agent.stop({ graceMs: 0 })
    delete process.env.CHAOS_LEDGER
  }
}
