import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { handlers } from '@contractor/plugin-iputils/handlers'
import { createSubContractor } from '@contractor/subcontractor'
import { afterEach, expect, it, vi } from 'vitest'
import { commandLine } from '../../../test/built.ts'
import { createPostgresDatabase } from '../../../test/databases.ts'

const root = join(import.meta.dirname, '../../..')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const admin = 'the-token-of-the-admin'

async function startServer(database: string, port: number): Promise<{ server: ChildProcess; url: string }> {
  const args = ['serve', '--database', database, '--port', String(port), '--plugin', '@contractor/plugin-iputils']
  const server = spawn(process.execPath, [...commandLine('server'), ...args], {
    cwd: root,
    env: { ...process.env, CONTRACTOR_ADMIN_TOKEN: admin },
  })
  cleanups.push(() => server.kill('SIGKILL'))
  let out = ''
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout?.on('data', data => {
      out += data
      const [, found] = /listening on (http:\S+?),/.exec(out) ?? []
      if (found) resolve(found)
    })
    server.once('exit', () => reject(new Error(`The server ended: ${out}`)))
  })
  return { server, url }
}

it('a server with idle agents and watchers ends within ten seconds of SIGTERM, and its agents wait quietly for the next one', {
  timeout: 90_000,
}, async () => {
  const database = await createPostgresDatabase()
  cleanups.push(() => database.drop())
  const { server, url } = await startServer(database.option, 0)
  const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' }
  const post = async (path: string, body: object) =>
    (await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  await post('/sites', { name: 'lab' })
  const { secret } = (await post('/tokens', {
    kind: 'agent',
    name: 'agents',
    sites: ['lab'],
    modules: ['iputils'],
  })) as {
    secret: string
  }
  const lines: { agent: number; message: string }[] = []
  const agents = Array.from({ length: 20 }, (_, at) =>
    createSubContractor({
      server: url,
      token: secret,
      name: `agent${at}`,
      handlers: [handlers],
      log: (_level, message) => void lines.push({ agent: at, message }),
    }),
  )
  for (const agent of agents) {
    agent.start()
    cleanups.push(() => agent.stop({ graceMs: 0 }))
  }
  // Also somebody who watches events.
  const watching = await fetch(`${url}/api/v1/events`, { headers: { ...headers, Accept: 'text/event-stream' } })
  void watching.text().catch(() => undefined)
  const whoSaid = (message: string) => new Set(lines.filter(line => line.message === message).map(line => line.agent))
  await vi.waitFor(() => expect(whoSaid('connected').size).toBe(20), { timeout: 20_000 })

  const before = lines.length
  const stoppedAt = performance.now()
  server.kill('SIGTERM')
  const [code] = await once(server, 'exit')
  expect(code).toBe(0)
  expect(performance.now() - stoppedAt).toBeLessThan(10_000)

  const next = await startServer(database.option, Number(new URL(url).port))
  await vi.waitFor(() => expect(whoSaid('server is back').size).toBe(20), { timeout: 30_000 })
  // That it is away and that it is back, each once or twice: it may answer and be gone again while it stops.
  const said = lines.slice(before)
  expect(new Set(said.map(line => line.message))).toEqual(new Set(['server is away, trying on', 'server is back']))
  expect(said.length).toBeLessThan(100)
  await Promise.all(agents.map(agent => agent.stop({ graceMs: 0 })))
  next.server.kill('SIGTERM')
  expect(await once(next.server, 'exit')).toEqual([0, null])
})
