import { type Contractor, createContractor, type Job } from '@contractor/core'
import type { HandlerModule, Plugin } from '@contractor/plugin'
import { createServer, listen } from '@contractor/server'
import { createSubContractor } from '@contractor/subcontractor'
import { onTestFinished } from 'vitest'
import { createPglite } from './databases.ts'

/**
 * A whole Contractor, as it is deployed: an engine on a database of its own, its server on loopback, and an agent that gets
 * the work over HTTP and does it. For tests of drivers, which go from create to destroy through all of it.
 */
export interface Rig {
  readonly contractor: Contractor
  /** What the agent has logged. */
  readonly lines: readonly string[]
  /** Waits for a Job's end; throws with its reason when that is not good. */
  finish(job: Promise<Job>, timeoutMs?: number): Promise<Job>
  /** A Job's reason to stand still, once it does. */
  standing(job: Promise<Job>): Promise<string>
  /** Runs a script, as a utility of a Foundation's BluePrint. */
  run(locator: string, source: string): Promise<Job>
}

export interface RigOptions {
  plugins: readonly Plugin[]
  handlers: readonly HandlerModule[]
  /** Resource files. */
  resources: readonly string[]
  concurrency?: Readonly<Record<string, number>>
  /** Of a test that runs beside others: its own, since then nobody else knows whose end it is. */
  onFinished?: (end: () => Promise<void>) => void
}

export async function openRig({
  plugins,
  handlers,
  resources,
  concurrency,
  onFinished = onTestFinished,
}: RigOptions): Promise<Rig> {
  const database = await createPglite()
  onFinished(() => database.drop())
  const secrets = Buffer.alloc(32, 7).toString('base64')
  const contractor = await createContractor({ database: database.option, plugins: [...plugins], secretKey: secrets })
  onFinished(() => contractor.close())
  await contractor.sites.create({ name: 'lab' })
  await contractor.resources.load([...resources])
  const server = await listen(createServer(contractor), { host: '127.0.0.1', port: 0 })
  onFinished(() => server.close())
  const lines: string[] = []
  // What people do needs no agent.
  if (handlers.length) {
    const { secret } = await contractor.tokens.create({
      ...{ kind: 'agent', name: 'agent', sites: ['lab'], modules: handlers.map(one => one.module) },
    })
    const agent = createSubContractor({
      ...{ server: server.url, token: secret, name: 'agent', handlers, ...(concurrency && { concurrency }) },
      log: (_level, message, fields) => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`),
    })
    agent.start()
    onFinished(() => agent.stop({ graceMs: 0 }))
  }
  return {
    contractor,
    lines,
    async finish(ordered, timeoutMs = 120_000) {
      return (await ordered).completed({ timeoutMs })
    },
    async standing(ordered) {
      const job = await ordered
      return job.completed({ timeoutMs: 120_000 }).then(
        () => Promise.reject(new Error('The Job was completed')),
        error => (error as Error).message,
      )
    },
    async run(locator, source) {
      const name = `try-${Math.random().toString(36).slice(2)}`
      await contractor.scripts.put({ name, source })
      const { blueprint } = await contractor.foundations.get(locator)
      const { createdAt: _, updatedAt: __, version: ___, ...own } = await contractor.blueprints.get(blueprint)
      await contractor.blueprints.put({ ...own, scripts: { ...own.scripts, [name]: name } })
      return contractor.foundations.doJob(locator, name)
    },
  }
}
