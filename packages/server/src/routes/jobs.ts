import { explanation, idPageRequest, jobOrder, jobQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies } from '../environment.ts'
import { job, step } from '../views.ts'

const params = z.object({ id: z.number().int().positive() })

export function jobRoutes({ contractor: { jobs } }: RouteContext): App {
  const app = createApp()
    .openapi(
      createRoute({ method: 'get', path: '/', request: { query: jobQuery }, ...replies(200, pageOf(job), 'Jobs') }),
      async c => c.json(await jobs.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(z.strictObject({ orders: z.array(jobOrder).min(1) })),
        ...replies(201, z.object({ items: z.array(job) }), 'The Jobs of a whole stack: all of them, or none'),
      }),
      async c => c.json({ items: await jobs.createMany(c.req.valid('json').orders, { by: c.var.identity.name }) }, 201),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, job, 'The Job') }),
      async c => c.json(await jobs.get(c.req.valid('param').id), 200),
    )
  for (const verb of ['pause', 'resume', 'reset', 'rollback', 'undo', 'skip', 'cancel'] as const) {
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
    .openapi(
      createRoute({
        method: 'post',
        path: '/{id}/message',
        request: { params, ...jsonBody(z.strictObject({ message: z.string() })) },
        ...replies(200, job, 'The Job with the line that is shown of it'),
      }),
      async c => {
        const { message } = c.req.valid('json')
        return c.json(await jobs.setMessage(c.req.valid('param').id, message, { by: c.var.identity.name }), 200)
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/{id}/explain',
        request: { params },
        ...replies(200, explanation, 'Why the Job is where it is, and what can be done'),
      }),
      async c => c.json(await jobs.explain(c.req.valid('param').id), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/{id}/history',
        request: { params, query: idPageRequest },
        ...replies(200, pageOf(step), 'What the Job has done, oldest first; also of one that is gone'),
      }),
      async c => c.json(await jobs.history(c.req.valid('param').id, c.req.valid('query')), 200),
    )
}
