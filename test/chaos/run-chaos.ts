import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createContractor } from '@contractor/core'
import postgres from 'postgres'
import { build } from 'tsup'
import { freePort } from '../embedded-postgres.ts'
import { reckon } from './ledger.ts'
import { page } from './plugin/index.ts'
import { startPostgresVictim } from './postgres.ts'
import { superviseProgram } from './program.ts'
import { type Restored, restoreElsewhere } from './restore.ts'
import { longestGapMs, notePauses } from './stall.ts'
import { countStrangers, type StrangerCounts } from './stranger-counts.ts'
import { createTally, type Tally, tally, type Victim } from './victim.ts'
import { type Comparison, compareEvents, type Seen, type Watcher, watchEvents } from './watcher.ts'

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

/** With what was killed and restarted, what ended by itself, and what strangers did. */
export interface ChaosResult extends Tally, StrangerCounts {
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
  /** The longest time, until the strangers went, in which no Job moved, though a database, a server and an agent were at work. */
  longestStallMs: number
  watcher: Comparison & { breaks: number }
  restored: Restored
  stormSeconds: number
  seconds: number
}

const adminToken = 'chaos-admin-token'
const servers = 2
const agents = 4
const leaseSeconds = 2
/** How long strangers go on after the last kill. */
const calmSeconds = 15
/** How many of the kills may be of one that does not work yet. */
const earlyKills = 0.15
/** So that a stranger who has one of them in hand does not have all Jobs. */
const sites = ['lab', ...Array.from({ length: 7 }, (_, at) => `lab${at}`)]
/** What is left to see when all Jobs are done, in milliseconds. */
const lastEventsMs = 30_000
const require = createRequire(import.meta.url)
const binOf = (name: string) =>
  join(
    dirname(require.resolve(`@contractor/${name}/package.json`)),
    'bin',
    `${name === 'server' ? 'contractor' : name}.js`,
  )

/**
 * Two servers and four agents, as processes of their own, on a PostgreSQL; Jobs are ordered all the time, every second one
 * of these is killed or restarted, and strangers hold transactions open. Then they are left alone, and every Job has to come
 * to its end, whoever watched to have seen all of it, and the database to be of use elsewhere.
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
          atWork: 'is listening',
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
            ...['--name', `agent${at}`, '--module', plugin, '--concurrency', 'page=8'],
          ],
          environment: { CONTRACTOR_TOKEN: agentToken, CHAOS_LEDGER: ledger },
          logFile: join(folder, `agent${at}.log`),
          atWork: 'starting',
          tally: counts,
        }),
      )
    }
    while (!victims.every(one => one.isAtWork())) await delay(100)
    say(`All programs are at work (${seconds().toFixed(0)} s)`)
    const api = createApi(ports, counts)
    const watcher = watchEvents(ports, adminToken)
    const pauses = notePauses(victims)
    const strangers = superviseProgram({
      name: 'strangers',
      command: [join(plugin, 'strangers.js'), postgres.url],
      environment: {},
      logFile: join(folder, 'strangers.log'),
      atWork: '',
      tally: counts,
    })
    const storm = { over: false }
    const fromMs = Date.now()
    const rage = async () => {
      await killEverySecond(options.stormSeconds, victims, counts)
      // All are there, and the Jobs as well: now the strangers alone are in the way, and none of them is killed.
      await delay(calmSeconds * 1000)
      await strangers.stop()
      while (!postgres.isAtWork()) await delay(100)
      await rollBackAll(postgres.url)
      storm.over = true
    }
    try {
      const [left] = await Promise.all([work(options, api, pages, storm, seconds), rage()])
      pauses.stop()
      const toMs = fromMs + (options.stormSeconds + calmSeconds) * 1000
      const { events, moves } = await readMoves(postgres.url, watcher)
      const watched = { ...compareEvents(watcher.seen, events), breaks: watcher.breaks() }
      watcher.stop()
      // The database alone is left, at rest.
      for (const victim of victims.splice(1).reverse()) await victim.stop()
      say(`The watcher has seen ${watched.events} events of ${events.length} (${seconds().toFixed(0)} s)`)
      const restored = await restoreElsewhere(postgres.url, { folder, steps, events })
      const logs = {
        strangers: join(folder, 'strangers.log'),
        servers: ports.map((_, at) => join(folder, `server${at}.log`)),
      }
      const others = await countStrangers(logs, pauses.moments)
      const done = Math.max(0, count - left.length)
      const { effects, missing, doubled, strange } = await reckon(ledger, pages, steps)
      const isDone = done === count && missing.length + doubled.length + strange.length === 0
      const all = ({ sessions, prepared }: StrangerCounts['named']) => sessions + prepared
      // The strangers' driver, which is nobody's business, ends their program now and then.
      const hasEnded = Object.keys(counts.ends).some(name => name !== 'strangers')
      const isNamed = all(others.heldUp) === 0 || all(others.named) > 0
      return {
        isGood: isDone && !hasEnded && isNamed && watched.isComplete && restored.isGood,
        ...{ jobs: count, done, left, steps: count * steps, effects, missing, doubled, strange },
        ...{ ...counts, ...others },
        longestStallMs: longestGapMs([...moves, ...pauses.moments], fromMs, Math.min(toMs, moves.at(-1) ?? toMs)),
        ...{ watcher: watched, restored, stormSeconds: options.stormSeconds },
        seconds: Math.round(seconds()),
      }
    } finally {
      pauses.stop()
      watcher.stop()
      await strangers.stop()
    }
  } finally {
    for (const victim of victims.reverse()) await victim.stop()
  }
}

/** Each in its turn, and every time in another order; what can be restarted is killed and restarted by turns. */
async function killEverySecond(times: number, victims: readonly Victim[], counts: Tally): Promise<void> {
  let next: Victim[] = []
  const restarted = new Set<Victim>()
  for (let second = 0; second < times; second++) {
    await delay(1000)
    if (!next.length) next = [...victims].sort(() => Math.random() - 0.5)
    // On a slow machine nothing would be done if who has just begun were always killed; now and then it is.
    const isEarly = Math.random() < earlyKills
    const victim = next.find(one => (isEarly ? one.isThere() : one.isAtWork()))
    if (!victim) continue
    next = next.filter(one => one !== victim)
    if (victim.restart && !restarted.delete(victim)) {
      restarted.add(victim)
      tally(counts.restarts, victim.name)
      victim.restart()
    } else {
      tally(counts.kills, victim.name)
      victim.kill()
    }
  }
}

/** What strangers had prepared, should they have been ended themselves: it would hold for ever what it has. */
async function rollBackAll(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, fetch_types: false })
  try {
    const left = await sql<{ gid: string }[]>`select gid from pg_prepared_xacts`
    for (const { gid } of left) await sql.unsafe(`rollback prepared '${gid}'`)
  } finally {
    await sql.end()
  }
}

/** All events, once they have their places and the watcher has had its time; and when Jobs moved, oldest first. */
async function readMoves(url: string, watcher: Watcher): Promise<{ events: Seen[]; moves: number[] }> {
  const sql = postgres(url, { max: 1 })
  try {
    const [last] = await sql<{ count: number }[]>`select count(*)::int as count from contractor.event`
    await watcher.count(last?.count ?? 0, lastEventsMs)
    const events = await sql<(Seen & { atMs: number })[]>`
      select place::int, type, job::int, (extract(epoch from at) * 1000)::float8 as "atMs"
      from contractor.event order by place`
    const steps = await sql<{ atMs: number }[]>`
      select (extract(epoch from ended_at) * 1000)::float8 as "atMs" from contractor.step`
    const moved = [...events.filter(one => one.job !== null), ...steps].map(one => one.atMs)
    return { events: [...events], moves: moved.sort((a, b) => a - b) }
  } finally {
    await sql.end()
  }
}

/** As JavaScript, so that servers and agents start as fast as they do in production. */
async function buildPlugin(): Promise<string> {
  const source = join(import.meta.dirname, 'plugin')
  // Within the folder of packages, so that its imports are found.
  const outDir = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'contractor-chaos')
  const entry = {
    index: join(source, 'index.ts'),
    handlers: join(source, 'handlers.ts'),
    strangers: join(import.meta.dirname, 'strangers-program.ts'),
  }
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
    const [top = '', ...below] = sites
    await contractor.sites.create({ name: top })
    for (const name of below) await contractor.sites.create({ name, parent: top })
    const source = `step = 0\nwhile ( step < ${steps} ) do\nbegin()\n  step = ( step + 1 )\n  foundation.write( step=step )\nend`
    await contractor.scripts.put({ name: 'fill', source })
    await contractor.blueprints.put({ kind: 'foundation', name: 'sheet', scripts: { create: 'fill' } })
    for (const [at, locator] of pages.entries()) {
      const site = sites[at % sites.length] as string
      await contractor.foundations.create({ type: 'Page', locator, site, blueprint: 'sheet' })
      await contractor.foundations.setState(locator, 'located')
    }
    const { secret } = await contractor.tokens.create({
      kind: 'agent',
      name: 'agents',
      sites: [top],
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

function createApi(ports: readonly number[], { refusals }: Tally): Api {
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
        if (reply.status >= 400) tally(refusals, String(body.code))
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
        if (reply && (reply.status < 300 || reply.body.code === 'JOB_REFUSED')) break
        if (reply && reply.body.code !== 'CONFLICT')
          throw new Error(`The order of ${pages[at]} failed: ${JSON.stringify(reply)}`)
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
        `${Math.max(0, ordered - jobs.length)} done, ${jobs.length} live, ${pages.length - ordered} to order (${saidAt.toFixed(0)} s)`,
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
