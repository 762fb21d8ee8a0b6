import { connect, createServer as listenTcp, type Socket } from 'node:net'
import { createContractor } from '@contractor/core'
import { createServer } from '@contractor/server'
import { expect, it, onTestFinished } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { respondError } from '../src/http/problem.ts'

/** A database behind a door that can be shut. */
async function openDoor() {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const url = new URL(database.option)
  const behind = { host: url.hostname, port: Number(url.port) }
  const sockets = new Set<Socket>()
  const door = listenTcp(socket => {
    const through = connect(behind)
    for (const one of [socket, through]) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => sockets.delete(one))
    }
    socket.pipe(through).pipe(socket)
  })
  await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
  const shut = async () => {
    const closed = new Promise(resolve => door.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  onTestFinished(() => (door.listening ? shut() : undefined))
  url.hostname = '127.0.0.1'
  url.port = String((door.address() as { port: number }).port)
  return { url: url.href, shut }
}

it('a request while the database is away gets 503, when to ask again, and no word of a statement', async () => {
  const { url, shut } = await openDoor()
  const lines: string[] = []
  const log = (...said: unknown[]) => void lines.push(JSON.stringify(said))
  const contractor = await createContractor({ database: url, plugins: [], foreman: false, log })
  onTestFinished(() => contractor.close())
  const app = createServer(contractor)
  const { secret } = await contractor.tokens.create({ kind: 'admin', name: 'ann' })
  await shut()

  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }
  const ask = (path: string, body?: string) =>
    app.request(path, { method: body === undefined ? 'GET' : 'POST', headers, ...(body !== undefined && { body }) })
  const replies = [
    await ask('/api/v1/sites'),
    await ask('/api/v1/sites', '{"name":"hidden-site"}'),
    await ask('/survey/hidden-machine', '{"system":{"serial":"hidden-serial"}}'),
    await ask('/signal/1/00000000-0000-0000-0000-000000000000/complete', ''),
    await ask('/config/config/f/hidden-locator'),
  ]
  for (const reply of replies) {
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '5'])
    expect(reply.headers.get('content-type')).toContain('application/problem+json')
    const text = await reply.text()
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'DATABASE_UNREACHABLE' })
    expect(text).not.toMatch(/select|insert|params|hidden/i)
  }
  expect(lines.join('\n')).not.toMatch(/select |insert |params|hidden/i)
})

it('an error that is not ours is logged without the statement that failed', async () => {
  const lines: string[] = []
  const thrown = new Error('Failed query: select secret from t where x = $1\nparams: hunter2', {
    cause: new Error('out of luck'),
  })
  const context = { header: () => undefined, body: (body: string, status: number) => new Response(body, { status }) }
  const reply = respondError(context as never, thrown, line => lines.push(line))
  expect(reply.status).toBe(500)
  expect(lines.join('\n')).toContain('out of luck')
  expect([lines.join('\n'), await reply.text()].join('\n')).not.toMatch(/hunter2|select secret/)
})
