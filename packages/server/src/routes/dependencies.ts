import { dependencyInput, dependencyQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { dependency, job } from '../views.ts'

const params = z.object({ id: z.number().int().positive() })

export function dependencyRoutes({ contractor: { dependencies, jobs } }: RouteContext): App {
  const app = createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: dependencyQuery },
        ...replies(200, pageOf(dependency), 'Dependencies'),
      }),
      async c => c.json(await dependencies.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(dependencyInput),
        ...replies(201, dependency, 'The Dependency'),
      }),
      async c => c.json(await dependencies.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, dependency, 'The Dependency') }),
      async c => c.json(await dependencies.get(c.req.valid('param').id), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{id}', request: { params }, ...repliesNothing }), async c => {
      await dependencies.delete(c.req.valid('param').id, { by: c.var.identity.name })
      return c.body(null, 204)
    })
  for (const action of ['create', 'destroy'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{id}/${action}`,
        request: { params },
        ...replies(201, job, `The ${action} Job`),
      }),
      async c =>
        c.json(await jobs.create({ dependency: c.req.valid('param').id }, action, { by: c.var.identity.name }), 201),
    )
  }
  for (const state of ['built', 'destroyed'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{id}/set-${state}`,
        request: { params },
        ...replies(200, dependency, 'The Dependency in its new state'),
      }),
      async c => c.json(await dependencies.setState(c.req.valid('param').id, state, { by: c.var.identity.name }), 200),
    )
  }
  return app
}
