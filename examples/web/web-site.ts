import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Api,
  ApiError,
  createApi,
  type FoundationView,
  type JobView,
  type List,
  pause,
  type StructureView,
} from './api.ts'
import { type Program, startAgent, startServer } from './programs.ts'
import type { Target } from './progress.ts'

/** The three web servers of the demo, with the server and the agent that build them. */
export interface WebSite {
  readonly api: Api
  readonly directory: string
  readonly adminToken: string
  readonly hosts: readonly Host[]
  serverUrl(): string
  startServer(): Promise<void>
  startAgent(): Promise<void>
  stopAgent(): Promise<void>
  /** Kills the agent without a warning, and starts it again. */
  crashAgent(): Promise<void>
  /** Ends the server in order, and starts it again on the same port and database. */
  restartServer(): Promise<void>
  loadBlueprints(): Promise<number>
  createObjects(): Promise<void>
  /** Orders a Job for every Foundation and Structure at once. */
  order(action: 'create' | 'destroy'): Promise<void>
  /** Shows the Jobs until all are done, or until a moment that is waited for. Throws when one needs an operator. */
  follow(show: (targets: readonly Target[]) => void, until?: (targets: readonly Target[]) => boolean): Promise<void>
  structures(): Promise<StructureView[]>
  /** The pids of the web servers, as the Foundations know them. */
  pids(): Promise<number[]>
  /** Destroys and deletes what there is of an earlier run or of this one, in whatever state it is. */
  removeAll(): Promise<void>
  /** Ends agent and server, and removes the directory. */
  close(): Promise<void>
  logFiles(): string[]
}

export interface Host {
  hostname: string
  site: 'lab' | 'lab-annex'
  port: number
}

export interface WebSiteOptions {
  /** A PostgreSQL URL; an embedded database in the demo's own directory unless said. */
  database?: string | undefined
  /** How long an agent may be silent, in seconds. */
  lease?: number
  signal?: AbortSignal
  /** Told when the server or the agent died and is started again. */
  notice?: (text: string) => void
}

const hostnames = ['web01', 'web02', 'web03'] as const
const patienceMs = 120_000

export async function createWebSite({
  database,
  lease = 5,
  signal,
  notice = () => undefined,
}: WebSiteOptions = {}): Promise<WebSite> {
  const directory = await mkdtemp(join(tmpdir(), 'contractor-demo-'))
  const adminToken = `ctr_${randomBytes(24).toString('base64url')}`
  const ports = await freePorts(hostnames.length)
  const hosts = hostnames.map(
    (hostname, at): Host => ({ hostname, site: at === 2 ? 'lab-annex' : 'lab', port: ports[at] as number }),
  )
  const logFiles = { server: join(directory, 'server.log'), agent: join(directory, 'agent.log') }
  let server: (Program & { url: string }) | undefined
  let agent: Program | undefined
  let agentToken = ''
  const api = createApi(() => server?.url ?? '', adminToken)

  /** Whoever kills one of the two sees what an operator would: it is started again, and nothing is lost. */
  const watch = (name: string, program: Program, again: () => unknown) => {
    void program.died.then(how => {
      const isKilled = typeof how === 'string'
      notice(`The ${name} ended (${isKilled ? how : `exit code ${how}`})${isKilled ? '; it is started again' : ''}`)
      if (isKilled) again()
    })
  }
  const serve = async (port: number) => {
    const started = await startServer({
      database: database ?? `pglite:${join(directory, 'database')}`,
      port,
      adminToken,
      lease,
      logFile: logFiles.server,
    })
    server = started
    watch('server', started, () => serve(Number(new URL(started.url).port)))
  }
  const runAgent = () => {
    agent = startAgent({ url: server?.url ?? '', token: agentToken, logFile: logFiles.agent })
    watch('agent', agent, runAgent)
  }
  const unless = async (code: string, request: Promise<unknown>) => {
    await request.catch(error => {
      if (!(error instanceof ApiError && error.code === code)) throw error
    })
  }
  const jobsOf = async (): Promise<Target[]> => {
    const { items } = await api.get<List<JobView>>('/jobs?limit=1000')
    const structures = await site.structures()
    return hosts.flatMap(({ hostname }) => {
      const id = structures.find(one => one.hostname === hostname)?.id
      const own = [
        items.findLast(job => job.foundation === hostname),
        items.findLast(job => id !== undefined && job.structure === id),
      ]
      return own.flatMap(job =>
        job ? [{ name: `${job.foundation === null ? 'Structure ' : 'Foundation'} ${hostname}`, job }] : [],
      )
    })
  }

  const follow = async (
    show: (targets: readonly Target[]) => void,
    until: (targets: readonly Target[]) => boolean,
    stop?: AbortSignal,
  ) => {
    const deadline = performance.now() + patienceMs
    for (;;) {
      stop?.throwIfAborted()
      const targets = await jobsOf()
      show(targets)
      const stuck = targets.find(
        ({ job }) => job.state === 'error' || job.state === 'aborted' || job.state === 'paused',
      )
      if (stuck) throw new Error(`${stuck.name} is in state ${stuck.job.state}: ${stuck.job.message}`)
      if (until(targets)) return
      if (performance.now() > deadline) throw new Error(`the jobs were not done after ${patienceMs / 1000} s`)
      await pause(150)
    }
  }

  const site: WebSite = {
    api,
    directory,
    adminToken,
    hosts,
    serverUrl: () => server?.url ?? '',
    startServer: () => serve(0),
    async startAgent() {
      await unless('NOT_FOUND', api.delete('/tokens/demo-agent'))
      const { secret } = await api.post<{ secret: string }>('/tokens', {
        kind: 'agent',
        name: 'demo-agent',
        sites: ['lab'],
        modules: ['process', 'iputils'],
      })
      agentToken = secret
      runAgent()
    },
    async stopAgent() {
      await agent?.end('SIGTERM')
      agent = undefined
    },
    async crashAgent() {
      await agent?.end('SIGKILL')
      runAgent()
    },
    async restartServer() {
      const port = Number(new URL(server?.url ?? '').port)
      await server?.end('SIGTERM')
      await serve(port)
    },
    async loadBlueprints() {
      const text = await readFile(join(import.meta.dirname, 'blueprints.toml'), 'utf8')
      const { changes } = await api.post<{ changes: unknown[] }>('/resources?file=examples/web/blueprints.toml', text)
      return changes.length
    },
    async createObjects() {
      await api.post('/sites', { name: 'lab', configValues: { greeting: 'Hello from the lab' } })
      await api.post('/sites', { name: 'lab-annex', parent: 'lab', configValues: { greeting: 'Hello from the annex' } })
      for (const { hostname, site: of, port } of hosts) {
        const fields = { directory: join(directory, 'hosts', hostname) }
        await api.post('/foundations', {
          locator: hostname,
          type: 'Process',
          site: of,
          blueprint: 'web-process',
          fields,
        })
        await api.post('/structures', {
          hostname,
          site: of,
          blueprint: 'web',
          foundation: hostname,
          configValues: { port },
        })
      }
    },
    async order(action) {
      const structures = await site.structures()
      for (const { hostname } of hosts) {
        if (action === 'create') await api.post(`/foundations/${hostname}/set-located`)
        await api.post(`/foundations/${hostname}/${action}`)
        await api.post(`/structures/${structures.find(one => one.hostname === hostname)?.id}/${action}`)
      }
    },
    follow: (show, until = allDone) => follow(show, until, signal),
    async structures() {
      return (await api.get<List<StructureView>>('/structures?blueprint=web&limit=1000')).items
    },
    async pids() {
      const { items } = await api.get<List<FoundationView>>('/foundations?blueprint=web-process&limit=1000')
      return items.flatMap(one => (typeof one.fields.pid === 'number' ? [one.fields.pid] : []))
    },
    async removeAll() {
      if (!server) return
      const live = (await api.get<List<JobView>>('/jobs?live=true&limit=1000')).items
      const structures = await site.structures()
      const foundations = (await api.get<List<FoundationView>>('/foundations?blueprint=web-process&limit=1000')).items
      for (const job of live) {
        const ours =
          foundations.some(one => one.locator === job.foundation) || structures.some(one => one.id === job.structure)
        if (ours) await api.post(`/jobs/${job.id}/cancel`)
      }
      for (const { id, state } of structures) if (state === 'built') await api.post(`/structures/${id}/set-destroyed`)
      for (const { locator, state } of foundations) {
        if (state === 'located') await api.post(`/foundations/${locator}/set-built`)
        if (state !== 'planned') await api.post(`/foundations/${locator}/destroy`)
      }
      // Not to be interrupted: this is what an interruption does.
      await follow(() => undefined, allDone)
      for (const { id } of structures) await api.delete(`/structures/${id}`)
      for (const { locator } of foundations) await api.delete(`/foundations/${locator}`)
      await unless('NOT_FOUND', api.delete('/tokens/demo-agent'))
      for (const name of ['lab-annex', 'lab']) await unless('NOT_FOUND', api.delete(`/sites/${name}`))
    },
    async close() {
      await agent?.end('SIGTERM')
      await server?.end('SIGTERM')
      await rm(directory, { recursive: true, force: true })
    },
    logFiles: () => Object.values(logFiles),
  }
  return site
}

const allDone = (targets: readonly Target[]) => targets.every(({ job }) => job.state === 'done')

/** Ports that nobody listens on at this moment, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}
