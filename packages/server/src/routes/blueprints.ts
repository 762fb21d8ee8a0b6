import { blueprintInput, pageRequest } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { blueprint, saved } from '../views.ts'

const params = z.object({ name: z.string() })

export function blueprintRoutes({ contractor: { blueprints } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(blueprint), 'BluePrints'),
      }),
      async c => c.json(await blueprints.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, blueprint, 'The BluePrint') }),
      async c => c.json(await blueprints.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/{name}',
        request: { params, ...jsonBody(blueprintInput.omit({ name: true })) },
        ...replies(200, saved, 'What that did'),
      }),
      async c => {
        const { name } = c.req.valid('param')
        return c.json(await blueprints.put({ name, ...c.req.valid('json') }, { by: c.var.identity.name }), 200)
      },
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await blueprints.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
