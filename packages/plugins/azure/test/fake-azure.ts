import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { AzureRefusal, answerGroup, createGroup, type FakeGroup, readOperation } from './fake-group.ts'

/** What a request is answered with instead, once each; of one method and path only, where that is said. */
export type Fault = { on?: RegExp } & (
  | { does: 'cut' | 'rubbish' | 'silent' }
  | { does: 'refuse'; status: number; code: string; message: string; headers?: Record<string, string> }
)

/**
 * Azure's Resource Manager with one resource group, and who gives tokens for it, at one place: it looks at tokens, versions,
 * names, shapes and states, and does what takes time as the real one does, by operations.
 */
export interface FakeAzure {
  readonly url: string
  readonly fingerprint: string
  readonly tenantId: string
  readonly clientId: string
  readonly password: string
  readonly group: FakeGroup
  /** Each request but for tokens, without its version: `PUT Microsoft.Compute/virtualMachines/web`, `GET operation`. */
  readonly told: string[]
  readonly faults: Fault[]
  /** Tokens that are good. */
  readonly tokens: Set<string>
  given: number
  stop(): Promise<void>
}

export const subscriptionId = '11111111-2222-4333-8444-555555555555'
const pem = (name: string) => readFileSync(join(import.meta.dirname, name))

export async function startAzure(): Promise<FakeAzure> {
  const cert = pem('cloud-cert.pem')
  const server = createServer({ cert, key: pem('cloud-key.pem') }, (request, response) => {
    void handle(fake, request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeAzure = {
    ...{ url, group: createGroup(url), told: [], faults: [], tokens: new Set(), given: 0 },
    ...{ tenantId: 'aaaaaaaa-2222-4333-8444-555555555555', clientId: 'bbbbbbbb-2222-4333-8444-555555555555' },
    password: 'Geheim~8Q.Abc-12',
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

async function handle(fake: FakeAzure, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  const { method = 'GET', url = '/' } = request
  const send = (status: number, body: object | undefined, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  const refuse = (status: number, code: string, message: string, headers?: Record<string, string>) =>
    send(status, { error: { code, message } }, headers)
  const at = fake.faults.findIndex(fault => fault.on === undefined || fault.on.test(`${method} ${url}`))
  const [fault] = at < 0 ? [] : fake.faults.splice(at, 1)
  if (fault?.does === 'silent') return
  if (fault?.does === 'rubbish') return void response.writeHead(200).end('<html>please log in</html>')
  if (fault?.does === 'cut') {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"id": "1')
    return void setImmediate(() => response.destroy())
  }
  if (url.endsWith('/oauth2/v2.0/token')) {
    const wrong = whyNoToken(fake, request, text)
    if (wrong)
      return send(wrong.status, { error: wrong.error, error_description: `${wrong.words} Trace ID: 1 Timestamp: 2` })
    const token = `token-${++fake.given}`
    fake.tokens.add(token)
    return send(200, { token_type: 'Bearer', expires_in: 3599, access_token: token })
  }
  const token = /^Bearer (\S+)$/.exec(String(request.headers.authorization ?? ''))?.[1] ?? ''
  if (!fake.tokens.has(token)) return refuse(401, 'ExpiredAuthenticationToken', 'The access token expiry is over.')
  const { pathname, searchParams } = new URL(url, fake.url)
  const [, subscription, , group, path = ''] =
    /^\/subscriptions\/([^/]+)(\/resourceGroups\/([^/]+)\/providers\/(.+))?$/.exec(pathname) ?? []
  fake.told.push(`${method} ${path || 'operation'}${searchParams.has('skipShutdown') ? '?skipShutdown' : ''}`)
  if (fault?.does === 'refuse') return refuse(fault.status, fault.code, fault.message, fault.headers)
  const operation = /^\/operations\/(\d+)$/.exec(pathname)?.[1]
  try {
    if (operation !== undefined) return send(...readOperation(fake.group, Number(operation)))
    if (subscription !== subscriptionId)
      throw new AzureRefusal(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`)
    if (group?.toLowerCase() !== 'lab')
      throw new AzureRefusal(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`)
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : undefined
    const isNew = request.headers['if-none-match'] === '*'
    send(...answerGroup(fake.group, { method, path, query: searchParams, body, isNew }))
  } catch (error) {
    if (error instanceof AzureRefusal) return refuse(error.status, error.code, error.message)
    throw error
  }
}

function whyNoToken(fake: FakeAzure, { method, url, headers }: IncomingMessage, text: string) {
  const invalid = (words: string) => ({ status: 400, error: 'invalid_request', words })
  if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded')
    return invalid("AADSTS900144: The request body must contain the following parameter: 'grant_type'.")
  if (url !== `/${fake.tenantId}/oauth2/v2.0/token`) return invalid('AADSTS90002: Tenant not found.')
  const form = new URLSearchParams(text)
  if (form.get('grant_type') !== 'client_credentials' || form.get('scope') !== `${fake.url}/.default`)
    return invalid('AADSTS70011: The provided value for scope is not valid.')
  if (form.get('client_id') !== fake.clientId)
    return { ...invalid('AADSTS700016: Application was not found in the directory.'), error: 'unauthorized_client' }
  if (form.get('client_secret') !== fake.password)
    return { status: 401, error: 'invalid_client', words: 'AADSTS7000215: Invalid client secret provided.' }
  return undefined
}
