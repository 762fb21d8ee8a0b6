import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { actions, createAccount, Ec2Refusal, type FakeAccount, type Xml } from './fake-instances.ts'

/** What a request is answered with instead, once each; of one action only, where that is said. */
export type Fault = { action?: string } & (
  | { does: 'cut' | 'rubbish' | 'page' | 'silent' }
  | { does: 'refuse'; status: number; code: string; message: string; headers?: Record<string, string> }
)

/**
 * The Query API of EC2, version 2016-11-15: it computes each signature anew (Signature Version 4), refuses parameters that it
 * does not know, answers in XML, and moves instances from one state to the next as they are looked at.
 */
export interface FakeEc2 {
  readonly url: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  sessionToken: string | undefined
  readonly account: FakeAccount
  /** Each request: its action and its parameters. */
  readonly told: { action: string; params: Readonly<Record<string, string>> }[]
  readonly faults: Fault[]
  /** How far its clock is from ours, in milliseconds. */
  clockMs: number
  stop(): Promise<void>
}

export async function startEc2(tls?: { cert: string; key: string }): Promise<FakeEc2> {
  const listener: RequestListener = (request, response) => {
    void handle(fake, request, response).catch(error => response.writeHead(500).end(String(error)))
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeEc2 = {
    ...{ url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, region: 'eu-central-1' },
    ...{ accessKeyId: 'AKIAEXAMPLE012345678', secretAccessKey: 'geheim/0123456789+abcdefghijk' },
    ...{ sessionToken: undefined, account: createAccount(), told: [], faults: [], clockMs: 0 },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

async function handle(fake: FakeEc2, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts).toString('utf8')
  const date = { Date: new Date(Date.now() + fake.clockMs).toUTCString() }
  const send = (status: number, text: string, headers: Record<string, string> = {}) =>
    void response.writeHead(status, { 'Content-Type': 'text/xml;charset=UTF-8', ...date, ...headers }).end(text)
  const refuse = (status: number, code: string, message: string, headers?: Record<string, string>) =>
    send(
      status,
      `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>${xml({ Code: code, Message: message })}</Error></Errors><RequestID>r-1</RequestID></Response>`,
      headers,
    )
  if (request.method !== 'POST' || request.url !== '/') return refuse(404, 'InvalidAction', 'The path is not /.')
  if (!/^application\/x-www-form-urlencoded/.test(String(request.headers['content-type'])))
    return refuse(400, 'InvalidRequest', 'The body is not form-encoded.')
  const params = Object.fromEntries(new URLSearchParams(body))
  const { Action: action = '', Version: version, ...own } = params
  const at = fake.faults.findIndex(fault => fault.action === undefined || fault.action === action)
  const [fault] = at < 0 ? [] : fake.faults.splice(at, 1)
  if (fault?.does === 'silent') return
  const wrong = whyNotSigned(fake, request, body)
  if (wrong) return refuse(wrong.status, wrong.code, wrong.message)
  fake.told.push({ action, params: own })
  if (fault?.does === 'refuse') return refuse(fault.status, fault.code, fault.message, fault.headers)
  if (fault?.does === 'rubbish') return send(200, 'no & xml <at all')
  if (fault?.does === 'page') return send(200, '<html><body>Please log in</body></html>')
  if (fault?.does === 'cut') {
    response
      .writeHead(200, { 'Content-Type': 'text/xml', 'Content-Length': '5000' })
      .write(`<${action}Response><reserv`)
    return void setImmediate(() => response.destroy())
  }
  if (version !== '2016-11-15') return refuse(400, 'NoSuchVersion', `The version ${version} is not valid.`)
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!run) return refuse(400, 'InvalidAction', `The action ${action} is not valid for this web service.`)
  try {
    const unknown = Object.keys(own).find(name => !run.takes.test(name))
    if (unknown !== undefined) return refuse(400, 'UnknownParameter', `The parameter ${unknown} is not recognized`)
    const answer = xml({ requestId: 'r-1', ...run.does(fake.account, own) })
    send(200, `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${answer}</${action}Response>`)
  } catch (error) {
    if (error instanceof Ec2Refusal) return refuse(error.status, error.code, error.message)
    throw error
  }
}

/** Lists are of `item`s, as EC2 writes them; what is undefined is not there. */
function xml(value: Xml): string {
  if (value === undefined) return ''
  if (typeof value !== 'object')
    return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  if (Array.isArray(value)) return value.map(one => `<item>${xml(one)}</item>`).join('')
  return Object.entries(value)
    .map(([name, one]) => (one === undefined ? '' : `<${name}>${xml(one)}</${name}>`))
    .join('')
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const unauthenticated = {
  ...{ status: 401, code: 'AuthFailure' },
  message: 'AWS was not able to validate the provided access credentials',
}

/** Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
function whyNotSigned(fake: FakeEc2, { headers }: IncomingMessage, body: string) {
  const [, keyId, day = '', region = '', service = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      String(headers.authorization ?? ''),
    ) ?? []
  const time = String(headers['x-amz-date'] ?? '')
  if (keyId !== fake.accessKeyId || headers['x-amz-security-token'] !== fake.sessionToken) return unauthenticated
  if (region !== fake.region || service !== 'ec2')
    return {
      ...unauthenticated,
      code: 'SignatureDoesNotMatch',
      message: `Credential should be scoped to a valid region.`,
    }
  for (const needed of ['host', 'x-amz-date']) if (!names.split(';').includes(needed)) return unauthenticated
  const canonical = [
    ...['POST', '/', ''],
    ...names.split(';').map(
      name =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/\s+/g, ' ')}`,
    ),
    ...['', names, sha256(body)],
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${fake.secretAccessKey}`)
  const wanted = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'))
  if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) return unauthenticated
  const signedMs = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Math.abs(signedMs - Date.now() - fake.clockMs) > 300_000)
    return { status: 400, code: 'RequestExpired', message: 'Request has expired.' }
  return undefined
}
