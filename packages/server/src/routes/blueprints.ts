import { pageRequest } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, pageOf, type RouteContext, replies } from '../environment.ts'
import { blueprint, script } from '../views.ts'

const params = z.object({ name: z.string() })

export function blueprintRoutes({ contractor }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(blueprint), 'BluePrints'),
      }),
      async c => c.json(await contractor.blueprints.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, blueprint, 'The BluePrint') }),
      async c => c.json(await contractor.blueprints.get(c.req.valid('param').name), 200),
    )
}

export function scriptRoutes({ contractor }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(script), 'Scripts'),
      }),
      async c => c.json(await contractor.scripts.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, script, 'The Script') }),
      async c => c.json(await contractor.scripts.get(c.req.valid('param').name), 200),
    )
}
