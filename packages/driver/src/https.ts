import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type Json, json } from '@contractor/plugin'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { deviceError } from './device-error.ts'

/** A device that is spoken to by HTTPS. */
export interface HttpsConnection {
  host: string
  port: number
  /** The SHA-256 of its certificate, in hexadecimal; `any`: whoever answers; null: one that the agent's machine trusts. */
  fingerprint: string | null
  /** False: by HTTP, for a device that speaks no TLS there. */
  tls?: boolean
}

export interface HttpsRequest {
  headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  body?: Json
  /** Sent as a form, in place of a body. */
  form?: Readonly<Record<string, string>>
  /** Sent as it is, in place of a body. */
  content?: { readonly type: string; readonly text: string }
  /** Whether a good answer has to be JSON, as it has unless said. */
  json?: boolean
  /** How long it may take, in milliseconds; 30 s unless said. */
  timeoutMs?: number
}

export interface HttpsAnswer {
  status: number
  /** The reason phrase beside the status, where some devices say what is wrong. */
  reason: string
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Null where there is none, or it is no JSON. */
  body: Json
  text: string
}

export interface HttpsDevice {
  /** How messages call it. */
  readonly name: string
  /** Whatever the status; throws a coded error where there is no answer that can be read. */
  request(method: string, path: string, request?: HttpsRequest): Promise<HttpsAnswer>
}

const answerMs = 30_000
/** More than this is no answer, in bytes. */
const mostBytes = 32 << 20
/** How often an answer may send one on. */
const mostRedirects = 3

/** Runs with connections to a device that are closed whatever comes of it. */
export async function withHttps<T>(
  connection: HttpsConnection,
  { signal, name = `https://${connection.host}:${connection.port}` }: { signal: AbortSignal; name?: string },
  work: (device: HttpsDevice) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const { host, port, tls = true } = connection
  const origin = `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`
  const client = new Client(origin, { connect: pinned(connection, name), bodyTimeout: answerMs, headersTimeout: 0 })
  try {
    return await work({
      name,
      request: (method, path, request) => ask(client, origin, name, signal, method, path, request),
    })
  } finally {
    await client.destroy().catch(() => undefined)
  }
}

/** Nothing is sent before the certificate is known to be the right one. */
function pinned({ fingerprint, tls = true }: HttpsConnection, name: string): buildConnector.connector {
  // A session that is resumed does not show the certificate again.
  const connect = buildConnector({ rejectUnauthorized: fingerprint === null, timeout: 10_000, maxCachedSessions: 0 })
  if (!tls) return connect
  return (options, done) =>
    connect(options, (error, socket) => {
      if (error || !socket) return done(error ?? new Error('no connection'), null)
      if (fingerprint === null || fingerprint === 'any') return done(null, socket)
      const seen = fingerprintOf(socket as TLSSocket)
      if (seen === fingerprint) return done(null, socket)
      socket.destroy()
      const words = `its certificate is ${seen}, and not the one that was pinned: it is another device, or has a new certificate`
      done(deviceError('DEVICE_UNTRUSTED', name, words), null)
    })
}

const fingerprintOf = (socket: TLSSocket): string =>
  createHash('sha256')
    .update(socket.getPeerCertificate(true).raw ?? Buffer.alloc(0))
    .digest('hex')

async function ask(
  client: Client,
  origin: string,
  name: string,
  signal: AbortSignal,
  method: string,
  path: string,
  request: HttpsRequest = {},
): Promise<HttpsAnswer> {
  const { headers = {}, json: isJson = true, timeoutMs = answerMs } = request
  const content = contentOf(request)
  const limit = AbortSignal.timeout(timeoutMs)
  const send = async (to: string, left: number): Promise<HttpsAnswer> => {
    const {
      statusCode,
      statusText: reason,
      headers: given,
      body: stream,
    } = await client.request({
      ...{ method: method as Dispatcher.HttpMethod, path: to, signal: AbortSignal.any([signal, limit]) },
      headers: {
        Accept: 'application/json',
        ...(content && { 'Content-Type': content.type }),
        ...headers,
      },
      ...(content && { body: content.text }),
    })
    const text = await readText(stream, name)
    const read = isJson ? parse(text, statusCode, name) : null
    const answer = { status: statusCode, reason, headers: plain(given), text, body: read }
    const { location } = answer.headers
    // With the method and the body that it had (RFC 9110, sections 15.4.8 and 15.4.9), and never to somebody else.
    if ((statusCode === 307 || statusCode === 308) && location !== undefined && left > 0) {
      const next = new URL(location, `${origin}${to}`)
      if (next.origin === new URL(origin).origin) return send(next.pathname + next.search, left - 1)
    }
    return answer
  }
  try {
    return await send(path, mostRedirects)
  } catch (error) {
    signal.throwIfAborted()
    if (limit.aborted)
      throw deviceError('DEVICE_TIMED_OUT', name, `no answer to ${method} ${path} within ${timeoutMs / 1000} s`)
    throw toDeviceError(name, error)
  }
}

function contentOf({ body, form, content }: HttpsRequest): HttpsRequest['content'] {
  if (body !== undefined) return { type: 'application/json', text: JSON.stringify(body) }
  if (form) return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() }
  return content
}

async function readText(stream: AsyncIterable<Buffer>, name: string): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of stream) {
    bytes += part.length
    if (bytes > mostBytes)
      throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer has more than ${mostBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** An answer that is no JSON is one only where it says that something went wrong. */
function parse(text: string, status: number, name: string): Json {
  if (!text.trim()) return null
  try {
    return json.parse(JSON.parse(text))
  } catch (error) {
    if (status >= 400) return null
    const words = `its answer is no JSON: ${text.slice(0, 100)}`
    throw deviceError('DEVICE_ANSWER_INVALID', name, words, { cause: error })
  }
}

const plain = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )

/** How long the device itself says to wait (RFC 9110, section 10.2.3), in milliseconds. */
export function retryAfterMs({ headers }: Pick<HttpsAnswer, 'headers'>, now: number): number | undefined {
  const given = headers['retry-after']
  if (given === undefined) return undefined
  const ms = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

function toDeviceError(name: string, thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code = '', message } = error as Error & { code?: string }
  if (error.name === 'ContractorError') return error
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    const words = `nobody vouches for its certificate (${message}): pin it by its fingerprint`
    return deviceError('DEVICE_UNTRUSTED', name, words, { cause: error })
  }
  if (/^ERR_(SSL|TLS)/.test(code) || /EPROTO/.test(code))
    return deviceError('DEVICE_ANSWER_INVALID', name, `it speaks no TLS there (${message})`, { cause: error })
  if (/^E[A-Z]+$|UND_ERR_CONNECT_TIMEOUT/.test(code) && code !== 'ECONNRESET')
    return deviceError('DEVICE_UNREACHABLE', name, `nothing answers there (${message})`, { cause: error })
  return deviceError('DEVICE_ANSWER_INVALID', name, `its answer was cut short, or cannot be read (${message})`, {
    cause: error,
  })
}
