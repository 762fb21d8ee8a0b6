import { type Contractor, ContractorError } from '@contractor/core'
import { serverHeader } from '@contractor/plugin/wire'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { authenticate, requireKind } from './authenticate.ts'
import { type App, createApp } from './environment.ts'
import { exactIntegers } from './exact-integers.ts'
import { respondError, respondProblem } from './problem.ts'
import { attachmentRoutes } from './routes/attachments.ts'
import { blueprintRoutes } from './routes/blueprints.ts'
import { cartographerRoutes } from './routes/cartographers.ts'
import { complexRoutes } from './routes/complexes.ts'
import { dependencyRoutes } from './routes/dependencies.ts'
import { dispatchRoutes } from './routes/dispatch.ts'
import { eventRoutes } from './routes/events.ts'
import { foundationRoutes } from './routes/foundations.ts'
import { hostRoutes } from './routes/hosts.ts'
import { jobRoutes } from './routes/jobs.ts'
import { plotRoutes } from './routes/plots.ts'
import { pxeRoutes } from './routes/pxes.ts'
import { resourceRoutes } from './routes/resources.ts'
import { scriptRoutes } from './routes/scripts.ts'
import { secretRoutes } from './routes/secrets.ts'
import { serviceRoutes } from './routes/services.ts'
import { signalRoutes } from './routes/signals.ts'
import { siteRoutes } from './routes/sites.ts'
import { structureRoutes } from './routes/structures.ts'
import { surveyRoutes } from './routes/survey.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { createSourceAddress } from './source-address.ts'

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
  api.use(authenticate(contractor))
  api.route('/dispatch', dispatchRoutes(context))
  // Of an agent that asks for what this version does not know: the token is right, and the agent goes on.
  api.all('/dispatch/*', c => respondProblem(c, 404, 'NOT_FOUND', `There is nothing at ${c.req.method} ${c.req.path}`))
  api.use(requireKind('admin'))
  // Not of what agents and machines say: what they have done is not undone by a number that they tell of it.
  api.use(exactIntegers)
  api.route('/sites', siteRoutes(context))
  api.route('/blueprints', blueprintRoutes(context))
  api.route('/scripts', scriptRoutes(context))
  api.route('/pxes', pxeRoutes(context))
  api.route('/resources', resourceRoutes(context))
  api.route('/foundations', foundationRoutes(context))
  api.route('/structures', structureRoutes(context))
  api.route('/complexes', complexRoutes(context))
  api.route('/cartographers', cartographerRoutes(context))
  api.route('/plots', plotRoutes(context))
  api.route('/dependencies', dependencyRoutes(context))
  api.route('/jobs', jobRoutes(context))
  api.route('/attachments', attachmentRoutes(context))
  api.route('/events', eventRoutes(context))
  api.route('/services', serviceRoutes(context))
  api.route('/secrets', secretRoutes(context))
  api.route('/tokens', tokenRoutes(context))

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
  app.notFound(c => respondProblem(c, 404, 'NOT_FOUND', `There is nothing at ${c.req.method} ${c.req.path}`))
  return app
}

/** Where express has mounted the app: what it takes off the path, no one else knows of. */
function mountPath(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { baseUrl?: string } }
  return incoming?.baseUrl ?? ''
}

const nulInPath = () =>
  new ContractorError('VALIDATION_FAILED', 'The path is not valid: it holds NUL', {
    issues: [{ path: '', message: 'holds NUL' }],
  })
