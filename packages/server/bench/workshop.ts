import { type Contractor, type ContractorOptions, createContractor } from '@contractor/core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres, { type Sql } from 'postgres'
import { startPostgres } from '../../../test/embedded-postgres.ts'
import { bed, press } from './press/index.js'

/** A PostgreSQL that commits as in production, a Contractor of our own on it, and what is needed to order Jobs. */
export interface Workshop {
  readonly database: string
  /** Runs no Foreman: that is for the server. */
  readonly contractor: Contractor
  readonly sql: Sql
  readonly agentToken: string
  /** So many Foundations that a create Job may start for, named PREFIX-1 and so on, without their Jobs. */
  addFoundations(prefix: string, count: number, blueprint?: string): Promise<string[]>
  /** Orders a create Job for each, in one transaction: they all begin at the moment when this resolves. */
  order(locators: readonly string[]): Promise<void>
  /** Resolves when so many create Jobs of Foundations with this prefix are done. Throws when one cannot go on. */
  finished(prefix: string, count: number): Promise<void>
  close(): Promise<void>
}

export interface WorkshopOptions extends Pick<ContractorOptions, 'clock' | 'heartbeat'> {
  /** What the create Job of a Foundation does. */
  script: string
  /** Called for every statement of our own Contractor. */
  onStatement?: () => void
}

/** So many Tasks, one after the other. */
export const stepsScript = (steps: number) =>
  Array.from({ length: steps }, (_, index) => `press.stamp( number=${index + 1} )`).join('\n')

export async function openWorkshop({ script, onStatement, ...options }: WorkshopOptions): Promise<Workshop> {
  const server = await startPostgres({ durable: true })
  const connect = (debug?: () => void) =>
    postgres(server.url, { max: 4, onnotice: () => undefined, ...(debug && { debug }) })
  const own = connect(onStatement)
  const contractor = await createContractor({ ...options, database: own, plugins: [bed, press], foreman: false })
  const sql = connect()
  await contractor.sites.create({ name: 'lab' })
  await contractor.scripts.put({ name: 'build-bed', source: script })
  await contractor.blueprints.put({ kind: 'foundation', name: 'bed', scripts: { create: 'build-bed' } })
  const { secret } = await contractor.tokens.create({
    kind: 'agent',
    name: 'bench',
    sites: ['lab'],
    modules: ['press'],
  })

  return {
    database: server.url,
    contractor,
    sql,
    agentToken: secret,
    async addFoundations(prefix, count, blueprint = 'bed') {
      await sql`
        insert into contractor.foundation (locator, type, site, blueprint, state, located_at, created_at, updated_at)
        select ${prefix} || '-' || n, 'Bed', 'lab', ${blueprint}, 'located', now(), now(), now()
        from generate_series(1, ${count}::int) as n`
      return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)
    },
    async order(locators) {
      await drizzle(own).transaction(async tx => {
        for (const locator of locators)
          await contractor.jobs.create({ foundation: locator }, 'create', { tx: tx as never })
      })
    },
    async finished(prefix, count) {
      for (;;) {
        const [now] = await sql<{ done: number; stuck: string | null }[]>`
          select count(*) filter (where outcome is not null)::int as done,
            min(message) filter (where state in ('error', 'aborted')) as stuck
          from contractor.job where foundation like ${`${prefix}-%`}`
        if (now?.stuck) throw new Error(`A Job is stuck: ${now.stuck}`)
        if (now?.done === count) return
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
    async close() {
      await contractor.close()
      await own.end()
      await sql.end()
      await server.stop()
    },
  }
}
