import { type Contractor, ContractorError } from '@contractor/core'
import { serverHeader } from '@contractor/plugin/wire'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { authenticate, requirePermission } from './access/authenticate.ts'
import { type App, createApp } from './http/environment.ts'
import { respondError, respondProblem } from './http/problem.ts'
import { createSourceAddress } from './http/source-address.ts'
import { nounRoutes } from './noun/mount-nouns.ts'
import { attachmentContentRoutes } from './route/attachment-content.ts'
import { dispatchRoutes } from './route/dispatch.ts'
import { eventRoutes } from './route/events.ts'
import { hostRoutes } from './route/hosts.ts'
import { resourceRoutes } from './route/resources.ts'
import { signalRoutes } from './route/signals.ts'
import { surveyRoutes } from './route/survey.ts'

export interface ServerOptions {
  /** Aborted when the host closes: requests that wait end, and agents ask again elsewhere. */
  signal?: AbortSignal
  /** Proxies, as addresses or subnets, whose `X-Forwarded-For` tells from where a machine asks; none unless said. */
  trustedProxies?: readonly string[]
}

const documentPath = '/api/v1/openapi.json'

/** The largest body that is read, in bytes. */
const mostBytes = 8 * 1024 * 1024

/**
 * The engine over HTTP, as a hono app: served by itself, or mounted in another one with `app.route('/path', server)`,
 * or in a server of Node's with `createListener`.
 * Everything is under `/api/v1` and needs a bearer token, but for `/api/v1/health` and `/api/v1/openapi.json`; machines
 * that are being built report back under `/signal`, with the cookie of their Job, and are told what is theirs under
 * `/config`; those that nobody knows yet report themselves under `/survey`.
 */
export function createServer(contractor: Contractor, options: ServerOptions = {}): App {
  const context = {
    contractor,
    closing: options.signal ?? new AbortController().signal,
    sourceAddress: createSourceAddress(options.trustedProxies ?? []),
  }
  const api = createApp()
  api.use(
    bodyLimit({
      maxSize: mostBytes,
      onError: c => respondProblem(c, 413, 'VALIDATION_FAILED', `The body is larger than ${mostBytes} bytes`),
    }),
  )
  api.get('/health', c => c.json({ status: 'ok' }))
  api.route('/dispatch', dispatchRoutes(context))
  // Of an agent that asks for what this version does not know: the token is right, and the agent goes on.
  api.all('/dispatch/*', requirePermission(contractor, 'agent'), c => respondNothing(c))
  api.route('/', nounRoutes(contractor))
  api.route('/attachments', attachmentContentRoutes(context))
  api.route('/events', eventRoutes(context))
  api.route('/resources', resourceRoutes(context))
  // What there is here is told to nobody who has no token.
  api.all('*', async c => {
    await authenticate(contractor, c)
    return respondNothing(c)
  })

  const app = createApp()
  app.use(async (c, next) => {
    c.header(serverHeader, '1')
    await next()
    // Whoever asks again has to come in by the door, which is closed: else a connection that is kept never ends.
    if (context.closing.aborted) c.header('Connection', 'close')
  })
  // No name has it, and no database takes it.
  app.use(async (c, next) => {
    if (/%00/.test(new URL(c.req.url).pathname)) throw nulInPath()
    await next()
  })
  // Before the routes that need a token. It is the outer app's, which knows the whole paths.
  app.doc31(documentPath, c => ({
    openapi: '3.1.0',
    info: {
      title: 'Contractor',
      version: '1',
      description: 'Creates, destroys and manipulates resources, wherever they are.',
    },
    servers: [{ url: `${mountPath(c)}${c.req.path.slice(0, -documentPath.length)}` || '/' }],
  }))
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  app.route('/api/v1', api)
  app.route('/signal', signalRoutes(context))
  app.route('/config', hostRoutes(context))
  app.route('/survey', surveyRoutes(context))
  app.onError((error, c) => respondError(c, error, message => contractor.log('error', message, { path: c.req.path })))
  app.notFound(respondNothing)
  return app
}

const respondNothing = (c: Context) =>
  respondProblem(c, 404, 'NOT_FOUND', `There is nothing at ${c.req.method} ${c.req.path}`)

/** Where express has mounted the app: what it takes off the path, no one else knows of. */
function mountPath(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { baseUrl?: string } }
  return incoming?.baseUrl ?? ''
}

const nulInPath = () =>
  new ContractorError('VALIDATION_FAILED', 'The path is not valid: it holds NUL', {
    issues: [{ path: '', message: 'holds NUL' }],
  })
