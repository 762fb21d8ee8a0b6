import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/**
 * What fakes of devices share that are spoken to by HTTP: a server on loopback, with a certificate of its own, that reads
 * requests, and spoils an answer when it is told to.
 */
export interface FakeRequest {
  method: string
  /** Without the query. */
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  text: string
}

export interface FakeAnswer {
  status: number
  /** The reason phrase. */
  reason?: string
  headers?: Record<string, string>
  /** As it is where it is a text, and as JSON else. */
  body?: unknown
}

/** Answers instead: cut short, rubbish, none at all, or another status. */
export type Fault = 'cut' | 'rubbish' | 'silent' | FakeAnswer

export interface FakeServer {
  readonly port: number
  readonly fingerprint: string
  /** Each is for one request. */
  readonly faults: Fault[]
  stop(): Promise<void>
}

export interface FakeServerOptions {
  tls?: boolean
  answer(request: FakeRequest): Fault | Promise<Fault>
  /** Whether a fault may be for it; for each unless said. */
  canFail?(request: FakeRequest): boolean
}

const pem = (name: string) => readFileSync(join(import.meta.dirname, name))

export async function startFakeServer({ tls = true, answer, canFail }: FakeServerOptions): Promise<FakeServer> {
  const cert = pem('device-cert.pem')
  const faults: Fault[] = []
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await readRequest(incoming)
    const fault = (canFail?.(request) ?? true) ? faults.shift() : undefined
    const given = fault ?? (await answer(request))
    if (given === 'silent') return
    if (given === 'rubbish') return void response.writeHead(200).end('<html>please log in</html>')
    if (given === 'cut') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"data": [')
      return void response.destroy()
    }
    send(response, given)
  }
  const listener = (incoming: IncomingMessage, response: ServerResponse) =>
    void handle(incoming, response).catch(error => response.writeHead(500).end(String(error)))
  const server = tls ? createHttps({ cert, key: pem('device-key.pem') }, listener) : createHttp(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    faults,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://fake')
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([key, value]) => [key, String(value)])),
    text: Buffer.concat(parts).toString('utf8'),
  }
}

function send(response: ServerResponse, { status, reason, headers, body }: FakeAnswer): void {
  const isText = typeof body === 'string'
  const type = isText ? {} : { 'Content-Type': 'application/json' }
  if (reason !== undefined) response.writeHead(status, reason, { ...type, ...headers })
  else response.writeHead(status, { ...type, ...headers })
  response.end(isText ? body : body === undefined ? '' : JSON.stringify(body))
}
