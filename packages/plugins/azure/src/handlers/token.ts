import { deviceError } from '@contractor/driver'
import { withHttps } from '@contractor/driver/https'
import type { Connection } from '../connection.ts'

/** OAuth 2.0, client credentials: RFC 6749, section 4.4. */
export async function askToken(connection: Connection, signal: AbortSignal): Promise<string> {
  const { login_endpoint, management_endpoint, tenant_id, client_id, password, fingerprint } = connection
  const { hostname, port, pathname } = new URL(login_endpoint)
  const name = `Azure’s tokens at ${hostname}`
  const device = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), fingerprint }
  const form = {
    ...{ grant_type: 'client_credentials', client_id, client_secret: password },
    scope: `${new URL(management_endpoint).origin}/.default`,
  }
  const answer = await withHttps(device, { signal, name }, https =>
    https.request('POST', `${pathname.replace(/\/$/, '')}/${tenant_id}/oauth2/v2.0/token`, { form }),
  )
  const body = (answer.body ?? {}) as { access_token?: string; error?: string; error_description?: string }
  if (answer.status < 300 && typeof body.access_token === 'string') return body.access_token
  if (answer.status < 300) throw deviceError('DEVICE_ANSWER_INVALID', name, 'its answer has no token')
  // The rest of a description is trace ids and a time.
  const [said = ''] = (body.error_description ?? '').split(/\s*(?:\r?\n|Trace ID:)/)
  const words = said || body.error || `status ${answer.status}`
  if (answer.status >= 500 || answer.status === 429) throw deviceError('DEVICE_BUSY', name, words)
  throw deviceError('DEVICE_UNAUTHENTICATED', name, `it gives application ${client_id} no token (${words})`)
}
