import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createContractor } from '@contractor/core'
import { build } from 'tsup'
import { freePort } from '../embedded-postgres.ts'
import { reckon } from './ledger.ts'
import { page } from './plugin/index.ts'
import { startPostgresVictim } from './postgres.ts'
import { superviseProgram } from './program.ts'
import { createTally, tally, type Victim } from './victim.ts'

export interface ChaosOptions {
  jobs: number
  steps: number
  /** How long something is killed every second. */
  stormSeconds: number
  /** By when everything has to be over. */
  limitSeconds: number
  /** A folder of its own, for data, logs and the ledger. */
  folder: string
  say(line: string): void
}

export interface ChaosResult {
  isGood: boolean
  jobs: number
  done: number
  /** Jobs that are not over, with what they say. */
  left: string[]
  steps: number
  effects: number
  missing: string[]
  doubled: string[]
  strange: string[]
  kills: Record<string, number>
  /** Ends that nobody brought about: a program that could not live without what had been killed. */
  ends: Record<string, number>
  stormSeconds: number
  seconds: number
}

const adminToken = 'chaos-admin-token'
const servers = 2
const agents = 4
const leaseSeconds = 2
const require = createRequire(import.meta.url)
const binOf = (name: string) =>
  join(
    dirname(require.resolve(`@contractor/${name}/package.json`)),
    'bin',
    `${name === 'server' ? 'contractor' : name}.js`,
  )

/**
 * Two servers and four agents, as processes of their own, on a PostgreSQL; Jobs are ordered all the time, and every
 * second one of these is killed. Then they are left alone, and every Job has to come to its end.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { jobs: count, steps, folder, say } = options
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const counts = createTally()
  const ledger = join(folder, 'ledger')
  await mkdir(ledger)
  const plugin = await buildPlugin()
  const postgres = await startPostgresVictim(folder)
  const victims: Victim[] = [postgres]
  try {
    const pages = Array.from({ length: count }, (_, at) => `page${String(at).padStart(3, '0')}`)
    const agentToken = await prepare(postgres.url, pages, steps)
    say(`${count} Foundations are there (${seconds().toFixed(0)} s)`)
    const ports = await Promise.all(Array.from({ length: servers }, () => freePort()))
    ports.forEach((port, at) => {
      victims.push(
        superviseProgram({
          name: `server${at}`,
          command: [
            ...[binOf('server'), 'serve', '--database', postgres.url, '--port', String(port)],
            ...['--lease', String(leaseSeconds), '--plugin', join(plugin, 'index.js')],
          ],
          environment: { CONTRACTOR_ADMIN_TOKEN: adminToken },
          logFile: join(folder, `server${at}.log`),
          tally: counts,
        }),
      )
    })
    for (let at = 0; at < agents; at++) {
      victims.push(
        superviseProgram({
          name: `agent${at}`,
          command: [
            ...[binOf('subcontractor'), '--server', `http://127.0.0.1:${ports[at % servers]}`],
            ...['--name', `agent${at}`, '--module', plugin],
          ],
          environment: { CONTRACTOR_TOKEN: agentToken, CHAOS_LEDGER: ledger },
          logFile: join(folder, `agent${at}.log`),
          tally: counts,
        }),
      )
    }
    const api = createApi(ports)
    const storm = { over: false }
    const rage = async () => {
      let next: Victim[] = []
      for (let second = 0; second < options.stormSeconds; second++) {
        await delay(1000)
        // Each in its turn, and every time in another order.
        if (!next.length) next = [...victims].sort(() => Math.random() - 0.5)
        const victim = next.find(one => one.isThere())
        if (!victim) continue
        next = next.filter(one => one !== victim)
        tally(counts.kills, victim.name)
        victim.kill()
      }
      storm.over = true
    }
    const [left] = await Promise.all([work(options, api, pages, storm, seconds), rage()])
    const done = Math.max(0, count - left.length)
    const reckoning = await reckon(ledger, pages, steps)
    const { effects, missing, doubled, strange } = reckoning
    const isGood = done === count && missing.length + doubled.length + strange.length === 0
    return {
      ...{ isGood, jobs: count, done, left, steps: count * steps, effects, missing, doubled, strange, ...counts },
      stormSeconds: options.stormSeconds,
      seconds: Math.round(seconds()),
    }
  } finally {
    for (const victim of victims.reverse()) await victim.stop()
  }
}

/** As JavaScript, so that servers and agents start as fast as they do in production. */
async function buildPlugin(): Promise<string> {
  const source = join(import.meta.dirname, 'plugin')
  // Within the folder of packages, so that its imports are found.
  const outDir = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'contractor-chaos')
  const entry = { index: join(source, 'index.ts'), handlers: join(source, 'handlers.ts') }
  await build({
    config: false,
    silent: true,
    format: 'esm',
    target: 'node20',
    skipNodeModulesBundle: true,
    clean: true,
    dts: false,
    entry,
    outDir,
    outExtension: () => ({ js: '.js' }),
  })
  return outDir
}

/** What the Jobs are for; gives the agents' token. */
async function prepare(url: string, pages: readonly string[], steps: number): Promise<string> {
  const contractor = await createContractor({ database: url, plugins: [page], foreman: false })
  try {
    await contractor.sites.create({ name: 'lab' })
    const source = `step = 0\nwhile ( step < ${steps} ) do\nbegin()\n  step = ( step + 1 )\n  foundation.write( step=step )\nend`
    await contractor.scripts.put({ name: 'fill', source })
    await contractor.blueprints.put({ kind: 'foundation', name: 'sheet', scripts: { create: 'fill' } })
    for (const locator of pages) {
      await contractor.foundations.create({ type: 'Page', locator, site: 'lab', blueprint: 'sheet' })
      await contractor.foundations.setState(locator, 'located')
    }
    const { secret } = await contractor.tokens.create({
      kind: 'agent',
      name: 'agents',
      sites: ['lab'],
      modules: ['page'],
    })
    return secret
  } finally {
    await contractor.close()
  }
}

interface Api {
  /** The reply of whichever server answers; undefined when none does at this moment. */
  send(method: 'GET' | 'POST', path: string): Promise<{ status: number; body: Record<string, unknown> } | undefined>
}

function createApi(ports: readonly number[]): Api {
  let next = 0
  return {
    async send(method, path) {
      const port = ports[next++ % ports.length]
      try {
        const reply = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
          method,
          headers: { Authorization: `Bearer ${adminToken}` },
          signal: AbortSignal.timeout(10_000),
        })
        const body = (await reply.json()) as Record<string, unknown>
        return reply.status < 500 ? { status: reply.status, body } : undefined
      } catch {
        return undefined
      }
    },
  }
}

interface JobLine {
  foundation: string
  state: string
  message: string
}

/** Orders the Jobs, spread over most of the storm, and waits for their ends; gives those that have none in time. */
async function work(
  { stormSeconds, limitSeconds, say }: ChaosOptions,
  api: Api,
  pages: readonly string[],
  storm: { over: boolean },
  seconds: () => number,
): Promise<string[]> {
  const between = (stormSeconds * 1000 * 0.6) / pages.length
  const startedAt = seconds()
  let next = 0
  let ordered = 0
  const order = async () => {
    for (let at = next++; at < pages.length; at = next++) {
      await delay(Math.max(0, (startedAt - seconds()) * 1000 + at * between))
      while (seconds() < limitSeconds) {
        const reply = await api.send('POST', `/foundations/${pages[at]}/create`)
        // A refusal says that it was ordered, by a request whose reply was lost.
        if (reply && (reply.status < 300 || reply.status === 409)) break
        if (reply) throw new Error(`The order of ${pages[at]} failed: ${JSON.stringify(reply)}`)
        await delay(200)
      }
      if (seconds() < limitSeconds) ordered++
    }
  }
  // Several at once, since one waits long for a server that is just being killed.
  const ordering = Promise.all(Array.from({ length: 8 }, order))
  let saidAt = 0
  for (;;) {
    await delay(1000)
    const live = await api.send('GET', '/jobs?live=true&limit=1000')
    const jobs = (live?.body.items ?? []) as JobLine[]
    const isOver = live !== undefined && ordered === pages.length && jobs.length === 0
    if (live && (isOver || seconds() - saidAt > 10)) {
      saidAt = seconds()
      say(
        `${ordered - jobs.length} done, ${jobs.length} live, ${pages.length - ordered} to order (${saidAt.toFixed(0)} s)`,
      )
    }
    if (isOver && storm.over) return []
    if (seconds() > limitSeconds) {
      await ordering
      return [
        ...(live ? [] : ['No server answers']),
        ...pages.slice(ordered).map(name => `${name} was not ordered`),
        ...jobs.map(job => `${job.foundation} is ${job.state}: ${job.message}`),
      ]
    }
  }
}
