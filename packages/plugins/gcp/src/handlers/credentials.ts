import { createSign } from 'node:crypto'
import { deviceError } from '@contractor/driver'
import { withHttps } from '@contractor/driver/https'
import { json } from '@contractor/plugin'
import { z } from 'zod'
import type { Connection } from '../connection.ts'

const scope = 'https://www.googleapis.com/auth/compute'
const lifeSeconds = 3600
const metadataMs = 5000

const token = z.object({ access_token: z.string().min(1) })
const accountKey = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https$/ }).default('https://oauth2.googleapis.com/token'),
})

export interface Credentials {
  /** An access token, each time another one. */
  token(): Promise<string>
  /** The project that the credentials are of; undefined where they do not say it. */
  project(): Promise<string | undefined>
}

/** Those of a service account's key, or of the agent's own machine. */
export function createCredentials({ key, fingerprint }: Connection, signal: AbortSignal): Credentials {
  if (key === null)
    return {
      token: async () => read(token, await askMetadata('instance/service-accounts/default/token', signal)).access_token,
      project: () => askMetadata('project/project-id', signal),
    }
  return {
    token: () => askToken(key, fingerprint, signal),
    project: async () => (JSON.parse(key) as { project_id?: string }).project_id,
  }
}

/** A signed assertion for a token (RFC 7523): to whomever the key itself names, which may be another cloud's. */
async function askToken(key: string, fingerprint: Connection['fingerprint'], signal: AbortSignal): Promise<string> {
  const account = read(accountKey, key)
  const { hostname, port, pathname } = new URL(account.token_uri)
  const name = `Google’s tokens at ${hostname}`
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: sign(account) }
  const device = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), fingerprint }
  const { status, body, text } = await withHttps(device, { signal, name }, https =>
    https.request('POST', pathname, { form }),
  )
  const said = (body ?? {}) as { error?: string; error_description?: string }
  if (status < 300) return read(token, text, name).access_token
  const words = said.error_description ?? said.error ?? `status ${status}`
  if (status >= 500 || status === 429) throw deviceError('DEVICE_BUSY', name, words)
  const isTime = /short-lived token|iat and exp|reasonable timeframe/i.test(words)
  const remedy = isTime ? ': the clock of the agent’s machine is wrong, set it' : ''
  throw deviceError('DEVICE_UNAUTHENTICATED', name, `it gives ${account.client_email} no token (${words})${remedy}`)
}

function sign({ client_email, private_key, private_key_id, token_uri }: z.output<typeof accountKey>): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client_email, scope, aud: token_uri, iat: now, exp: now + lifeSeconds }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const header = { alg: 'RS256', typ: 'JWT', ...(private_key_id !== undefined && { kid: private_key_id }) }
  const text = `${encode(header)}.${encode(claims)}`
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(private_key, 'base64url')}`
  } catch {
    // The words of the failure may tell of the key.
    throw deviceError('DEVICE_UNAUTHENTICATED', client_email, 'the private key of its JSON is none that can be read')
  }
}

/** The server that Google's machines see (https://cloud.google.com/compute/docs/metadata). */
async function askMetadata(path: string, signal: AbortSignal): Promise<string> {
  const host = process.env.GCE_METADATA_HOST || 'metadata.google.internal'
  const limit = AbortSignal.timeout(metadataMs)
  try {
    const answer = await fetch(`http://${host}/computeMetadata/v1/${path}`, {
      headers: { 'Metadata-Flavor': 'Google' },
      signal: AbortSignal.any([signal, limit]),
      redirect: 'error',
    })
    const text = await answer.text()
    // Whoever else answers there gives no credentials.
    if (answer.ok && answer.headers.get('metadata-flavor') === 'Google') return text
    throw new Error(`it answers ${answer.status}`)
  } catch (error) {
    signal.throwIfAborted()
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message : message
    const remedy =
      'give the Foundation a gce_service_account_key, or let the agent run on a machine with a service account'
    throw deviceError(
      'DEVICE_UNAUTHENTICATED',
      `Metadata server ${host}`,
      `there are no credentials (${why}): ${remedy}`,
    )
  }
}

function read<T extends z.ZodType>(schema: T, text: string, name = 'Google’s credentials'): z.output<T> {
  try {
    return schema.parse(json.parse(JSON.parse(text)))
  } catch {
    // Not the issues themselves: some tell what they got.
    throw deviceError('DEVICE_ANSWER_INVALID', name, 'they are not what was asked for', { retryable: false })
  }
}
