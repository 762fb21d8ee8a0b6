import { createVerify, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { answerCompute, createProject, type FakeProject, GoogleRefusal } from './fake-project.ts'

/** What a request is answered with instead, once each; of one method and path only, where that is said. */
export type Fault = { on?: RegExp } & (
  | { does: 'cut' | 'rubbish' | 'silent' }
  | { does: 'refuse'; status: number; reason: string; message: string; headers?: Record<string, string> }
)

/**
 * Compute Engine’s API version 1, and who gives tokens for it, at one place: assertions are verified by the public key of the
 * service account, tokens are looked at, and bodies with fields that the API does not have are refused, as are other names.
 */
export interface FakeCompute {
  readonly url: string
  readonly port: number
  readonly fingerprint: string
  readonly project: FakeProject
  /** The JSON text of the service account's key. */
  readonly key: string
  readonly privateKey: string
  /** Each request but for tokens: `POST projects/…`. */
  readonly told: string[]
  /** Bodies of POSTs, by the same order as their lines in `told`. */
  readonly bodies: unknown[]
  readonly faults: Fault[]
  /** Tokens that are good. */
  readonly tokens: Set<string>
  given: number
  /** How far its clock is from ours, in milliseconds. */
  clockMs: number
  stop(): Promise<void>
}

const pem = (name: string) => readFileSync(join(import.meta.dirname, name))
const account = 'contractor@web-1234.iam.gserviceaccount.com'

export async function startCompute(): Promise<FakeCompute> {
  const cert = pem('cloud-cert.pem')
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const server = createServer({ cert, key: pem('cloud-key.pem') }, (request, response) => {
    void handle(fake, publicKey, request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`
  const fake: FakeCompute = {
    ...{
      url,
      port,
      project: createProject(),
      told: [],
      bodies: [],
      faults: [],
      tokens: new Set(),
      given: 0,
      clockMs: 0,
    },
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    privateKey,
    key: JSON.stringify({
      ...{ type: 'service_account', project_id: 'web-1234', private_key_id: 'k1', private_key: privateKey },
      ...{ client_email: account, token_uri: `${url}/token` },
    }),
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

async function handle(
  fake: FakeCompute,
  publicKey: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  const { method = 'GET', url = '/' } = request
  const send = (status: number, body: object, headers: Record<string, string> = {}) =>
    void response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))
  const refuse = (status: number, reason: string, message: string, headers?: Record<string, string>) =>
    send(status, { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } }, headers)
  const at = fake.faults.findIndex(fault => fault.on === undefined || fault.on.test(`${method} ${url}`))
  const [fault] = at < 0 ? [] : fake.faults.splice(at, 1)
  if (fault?.does === 'silent') return
  if (fault?.does === 'rubbish') return void response.writeHead(200).end('<html>please log in</html>')
  if (fault?.does === 'cut') {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"id": "1')
    return void setImmediate(() => response.destroy())
  }
  if (url === '/token') {
    const why = whyNoToken(fake, publicKey, request, text)
    if (why) return send(400, { error: 'invalid_grant', error_description: why })
    const token = `token-${++fake.given}`
    fake.tokens.add(token)
    return send(200, { access_token: token, expires_in: 3599, token_type: 'Bearer' })
  }
  const token = /^Bearer (\S+)$/.exec(String(request.headers.authorization ?? ''))?.[1] ?? ''
  if (!fake.tokens.has(token)) return refuse(401, 'authError', 'Invalid Credentials')
  fake.told.push(`${method} ${url.replace('/compute/v1/', '')}`)
  const body: unknown = text ? JSON.parse(text) : undefined
  fake.bodies.push(body)
  if (fault?.does === 'refuse') return refuse(fault.status, fault.reason, fault.message, fault.headers)
  try {
    const { pathname, searchParams } = new URL(url, fake.url)
    send(200, answerCompute(fake.project, method, pathname, searchParams, body))
  } catch (error) {
    if (error instanceof GoogleRefusal) return refuse(error.status, error.reason, error.message)
    throw error
  }
}

/** RFC 7523, as https://developers.google.com/identity/protocols/oauth2/service-account has it. */
function whyNoToken(
  { url, clockMs }: FakeCompute,
  publicKey: string,
  { method, headers }: IncomingMessage,
  text: string,
): string | undefined {
  if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded') return 'Not a form'
  const form = new URLSearchParams(text)
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return 'Invalid grant_type'
  const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  const { alg } = read(head)
  const isSigned = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')
  if (alg !== 'RS256' || !isSigned) return 'Invalid JWT Signature.'
  const { iss, aud, scope, iat, exp } = read(claims)
  if (iss !== account) return 'Invalid grant: account not found'
  if (aud !== `${url}/token` || scope !== 'https://www.googleapis.com/auth/compute')
    return 'Invalid JWT: audience or scope'
  const now = (Date.now() + clockMs) / 1000
  if (Number(iat) > now + 300 || Number(exp) < now || Number(exp) - Number(iat) > 3600)
    return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.'
  return undefined
}
