import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { handlers } from './handlers/index.ts'
import { iputils } from './iputils.ts'
import { waitForPort } from './wait-for-port.ts'

const servers: Server[] = []
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const clean of cleanups.splice(0).reverse()) clean()
})

/** A listener on loopback; a port that was given before is opened again. */
async function listen(port = 0): Promise<number> {
  const server = createServer(socket => socket.destroy())
  servers.push(server)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

/** A port that was just free. */
async function freePort(): Promise<number> {
  const port = await listen()
  await new Promise(resolve => servers.pop()?.close(resolve))
  return port
}

const run = (task: string, params: object, signal = new AbortController().signal) =>
  handlers.run(task, params, createHandlerContext({ signal }))
const local = { target: '127.0.0.1', waitMs: 10_000, delayMs: 5 }

describe('the laws of plugins', () => {
  const laws = pluginLaws(iputils, handlers, {
    args: {
      ping: [{ target: '10.0.0.1' }],
      http_check: [{ url: 'http://10.0.0.1/' }],
      dns_check: [{ name: 'a.lab' }, { name: 'a.lab', expected: ['10.0.0.2', '10.0.0.1'] }],
      snmp_get: [{ host: '10.0.0.1', oid: '.1.3.6.1.2.1.1.5.0', community: 'public' }],
      snmp_set: [{ host: '10.0.0.1', oid: '1.3.6.1.2.1.1.5.0', value: 1, community: 'private' }],
      snmp_walk: [{ host: '10.0.0.1', oid: '1.3.6.1', protocol: 'SNMPv3', user: 'me' }],
      wait_for_port: [
        { target: '10.0.0.1', port: 80 },
        { target: '10.0.0.1', port: 80, timeout: 0 },
      ],
    },
    replies: {
      ping: [{ percent: 80, meanMs: 1.5 }],
      http_check: [
        { good: true, seen: '' },
        { good: false, seen: 'it answers 500' },
      ],
      dns_check: [
        { records: ['10.0.0.1', '10.0.0.2'], seen: '' },
        { records: [], seen: 'no answer' },
      ],
      snmp_get: [{ value: 'web01' }],
      snmp_set: [{}],
      snmp_walk: [{ variables: [{ oid: '1.3.6.1.2.1.1.5.0', value: 'web01', type: 'OctetString' }] }],
      wait_for_port: [
        { open: false, last: 'connection refused' },
        { open: true, last: '' },
      ],
    },
    abortable: { wait_for_port: { ...local, port: 9 }, ping: { target: '127.0.0.1', count: 20 } },
    entry: new URL('./index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('wait_for_port, the handler', () => {
  it('is done at once when the port is open', async () => {
    expect(await run('wait_for_port', { ...local, port: await listen() })).toEqual({ open: true, last: '' })
  })

  it('tries until it opens', async () => {
    const port = await freePort()
    const waiting = run('wait_for_port', { ...local, port })
    await new Promise(resolve => setImmediate(resolve))
    await listen(port)
    expect(await waiting).toEqual({ open: true, last: '' })
  })

  it('says why the last attempt failed when the time is over, after one attempt at least', async () => {
    const port = await freePort()
    const refused = { open: false, last: 'connection refused' }
    expect(await run('wait_for_port', { ...local, port, waitMs: 0 })).toEqual(refused)
    expect(await run('wait_for_port', { ...local, port, waitMs: 20 })).toEqual(refused)
  })

  it('stops when it is aborted', async () => {
    const abort = new AbortController()
    const port = await freePort()
    const stopped = expect(run('wait_for_port', { ...local, port, delayMs: 60_000 }, abort.signal)).rejects.toThrow()
    abort.abort(new Error('claim lost'))
    await stopped
  })
})

describe('wait_for_port, the function', () => {
  const start = (args: object) =>
    waitForPort.state.parse(
      waitForPort.start(waitForPort.args.parse(args), {} as Parameters<typeof waitForPort.start>[1]),
    )
  const closed = { now: 0, kind: 'result', value: { open: false, last: 'connection refused' } } as const
  type State = ReturnType<typeof start>
  const receive = (state: State, ...replies: Parameters<NonNullable<typeof waitForPort.receive>>[1][]): State =>
    replies.reduce((at, reply) => waitForPort.state.parse(waitForPort.receive?.(at, reply)), state)

  it('cuts a long wait into Tasks of 20 s, and the last one to what is left', () => {
    let state = start({ target: '10.0.0.1', port: 80, timeout: 50, delay: 2 })
    const slices: unknown[] = []
    for (let request = waitForPort.request?.(state); request; request = waitForPort.request?.(state)) {
      slices.push(request.params)
      state = receive(state, closed)
    }
    const slice = { target: '10.0.0.1', port: 80, delayMs: 2000 }
    expect(slices).toEqual([20_000, 20_000, 10_000].map(waitMs => ({ ...slice, waitMs })))
  })

  it('takes a port as a text, as templates give it, and no other text', () => {
    const given = { target: '10.0.0.1', port: '2376' }
    expect(waitForPort.request?.(start(given))?.params).toMatchObject({ port: 2376 })
    for (const port of ['', '0', '70000', '22/tcp', null])
      expect(waitForPort.args.safeParse({ ...given, port }).success, `${port}`).toBe(false)
  })

  it('ends with an error that can be reset, which says what was seen last', () => {
    const state = receive(start({ target: '10.0.0.1', port: 80, timeout: 30 }), closed, closed)
    expect(waitForPort.outcome(state)).toEqual({
      kind: 'error',
      message: 'Port 80 of 10.0.0.1 did not open within 30 s (last: connection refused)',
    })
  })

  it('is True when the port opened', () => {
    const state = receive(start({ target: 'web01.lab', port: 80 }), closed, {
      now: 0,
      kind: 'result',
      value: { open: true, last: '' },
    })
    expect(waitForPort.outcome(state)).toEqual({ kind: 'done', value: true })
  })

  it('tells how long it has waited, by answers', () => {
    const state = start({ target: '10.0.0.1', port: 80 })
    expect(waitForPort.message?.(state)).toBe('Waiting for port 80 of 10.0.0.1')
    expect(waitForPort.message?.(receive(state, closed))).toBe(
      'Waiting for port 80 of 10.0.0.1 (20 of 300 s, last: connection refused)',
    )
  })

  it.each(['-c', 'a b', 'host;id', '', '$(id)'])('refuses the target %j', target => {
    expect(waitForPort.args.safeParse({ target, port: 80 }).success).toBe(false)
  })
})

describe('ping, the handler', () => {
  /** A program `ping` in the place of the machine’s: it keeps its arguments, and ends as told. */
  function installPing(script: string | undefined): string {
    const folder = mkdtempSync(join(tmpdir(), 'ping-'))
    const path = process.env.PATH
    // The shell that the program is written for is needed, and nothing else of the machine.
    process.env.PATH = folder
    if (script !== undefined) {
      writeFileSync(join(folder, 'ping'), `#!/bin/sh\nprintf '%s ' "$@" > ${folder}/args\n${script}\n`)
      chmodSync(join(folder, 'ping'), 0o755)
    }
    cleanups.push(() => {
      process.env.PATH = path
      rmSync(folder, { recursive: true, force: true })
    })
    return join(folder, 'args')
  }
  const ping = () => run('ping', { target: '10.0.0.1', count: 2 })
  const summary = (received: number, loss: number) =>
    `echo "--- 10.0.0.1 ping statistics ---\n2 packets transmitted, ${received} received, ${loss}% packet loss, time 1001ms"`

  it('tells how many of a hundred were answered, and how fast', async () => {
    const args = installPing(`${summary(1, 50)}; echo "rtt min/avg/max/mdev = 0.1/0.25/0.4/0.0 ms"; exit 0`)
    expect(await ping()).toEqual({ percent: 50, meanMs: 0.25 })
    expect(readFileSync(args, 'utf8')).toBe('-n -q -c 2 -W 2 10.0.0.1 ')
    installPing(`${summary(0, 100)}; exit 1`)
    expect(await ping()).toEqual({ percent: 0, meanMs: null })
  })

  it('fails with what the program says', async () => {
    installPing('echo "ping: web99: Name or service not known" >&2; exit 2')
    await expect(ping()).rejects.toThrow('Cannot ping 10.0.0.1: ping: web99: Name or service not known')
  })

  it('names the program and the remedy when there is none', async () => {
    installPing(undefined)
    await expect(ping()).rejects.toThrow("The agent's machine has no program 'ping': install it there")
  })
})

describe('checks of services', () => {
  it('of a URL say what came in place of what was expected', async () => {
    const server = createHttpServer(({ url }, response) =>
      response.writeHead(url === '/' ? 200 : 302, { Location: '/' }).end('all is well'),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const { port } = server.address() as { port: number }
    const check = (path: string, more: object = {}) =>
      run('http_check', { url: `http://127.0.0.1:${port}${path}`, status: 200, contains: null, ...more })
    expect(await check('/')).toEqual({ good: true, seen: '' })
    expect(await check('/', { contains: 'well' })).toEqual({ good: true, seen: '' })
    expect(await check('/', { contains: 'ill' })).toEqual({
      good: false,
      seen: 'its answer does not contain what it should',
    })
    expect(await check('/moved')).toEqual({ good: false, seen: 'it answers 302' })
    expect(await check('/moved', { status: 302 })).toEqual({ good: true, seen: '' })
    expect(
      await run('http_check', { url: `http://127.0.0.1:${await freePort()}/`, status: 200, contains: null }),
    ).toMatchObject({
      ...{ good: false, seen: expect.stringContaining('ECONNREFUSED') },
    })
  })

  it('of a name wait for just the records that are expected', () => {
    const { dns_check } = iputils.functions
    if (!dns_check) throw new Error('no dns_check')
    const context = { now: 0, callId: 'c' } as never
    const begun = dns_check.start(dns_check.args.parse({ name: 'a.lab', expected: ['10.0.0.2', '10.0.0.1'] }), context)
    const after = (records: string[]) =>
      dns_check.outcome(
        dns_check.state.parse(dns_check.receive?.(begun, { now: 0, kind: 'result', value: { records, seen: '' } })),
      )
    expect(after(['10.0.0.1']).kind).toBe('pending')
    expect(after(['10.0.0.1', '10.0.0.2'])).toEqual({ kind: 'done', value: ['10.0.0.1', '10.0.0.2'] })
  })

  it.each([
    [{ community: null }, 'SNMPv2c needs a community'],
    [{ protocol: 'SNMPv3' }, 'SNMPv3 needs a user'],
    [{ protocol: 'SNMPv3', user: 'me', priv_key: 'eight-or-more' }, 'a priv_key needs an auth_key'],
  ])('of SNMP with %j say what is missing', async (more, message) => {
    await expect(run('snmp_get', { host: '127.0.0.1', oid: '1.3.6.1', ...more })).rejects.toThrow(message)
  })
})
