import { jobQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, pageOf, type RouteContext, replies } from '../environment.ts'
import { job } from '../views.ts'

const params = z.object({ id: z.coerce.number().int().positive() })

export function jobRoutes({ contractor: { jobs } }: RouteContext): App {
  const app = createApp()
    .openapi(
      createRoute({ method: 'get', path: '/', request: { query: jobQuery }, ...replies(200, pageOf(job), 'Jobs') }),
      async c => c.json(await jobs.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, job, 'The Job') }),
      async c => c.json(await jobs.get(c.req.valid('param').id), 200),
    )
  for (const verb of ['pause', 'resume', 'reset', 'cancel'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{id}/${verb}`,
        request: { params },
        ...replies(200, job, 'The Job in its new state'),
      }),
      async c => c.json(await jobs.apply(c.req.valid('param').id, verb, { by: c.var.identity.name }), 200),
    )
  }
  return app
}
