import { complexChanges, complexInput, pageRequest } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { complex } from '../views.ts'

const params = z.object({ name: z.string() })

export function complexRoutes({ contractor: { complexes } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(complex), 'Complexes'),
      }),
      async c => c.json(await complexes.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(complexInput),
        ...replies(201, complex, 'The Complex'),
      }),
      async c => c.json(await complexes.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, complex, 'The Complex') }),
      async c => c.json(await complexes.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/{name}',
        request: { params, ...jsonBody(complexChanges) },
        ...replies(200, complex, 'The Complex as changed'),
      }),
      async c =>
        c.json(
          await complexes.update(c.req.valid('param').name, c.req.valid('json'), { by: c.var.identity.name }),
          200,
        ),
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await complexes.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
