import { assignment, cartographerQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { cartographer } from '../views.ts'

const params = z.object({ identifier: z.string() })

export function cartographerRoutes({ contractor: { cartographers } }: RouteContext): App {
  const app = createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: cartographerQuery },
        ...replies(200, pageOf(cartographer), 'Machines that have reported themselves'),
      }),
      async c => c.json(await cartographers.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/{identifier}',
        request: { params },
        ...replies(200, cartographer, 'The machine, with what it reported and what speaks for which Foundation'),
      }),
      async c => c.json(await cartographers.get(c.req.valid('param').identifier), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/{identifier}/assign',
        request: { params, ...jsonBody(assignment) },
        ...replies(200, cartographer, 'The machine, matched with that Foundation'),
      }),
      async c => {
        const { identifier } = c.req.valid('param')
        const { foundation } = c.req.valid('json')
        return c.json(await cartographers.assign(identifier, foundation, { by: c.var.identity.name }), 200)
      },
    )
    .openapi(
      createRoute({ method: 'delete', path: '/{identifier}', request: { params }, ...repliesNothing }),
      async c => {
        await cartographers.delete(c.req.valid('param').identifier, { by: c.var.identity.name })
        return c.body(null, 204)
      },
    )
  const actions = { release: 'The machine, matched no more', retry: 'The machine, looked at again' } as const
  for (const action of ['release', 'retry'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{identifier}/${action}`,
        request: { params },
        ...replies(200, cartographer, actions[action]),
      }),
      async c => c.json(await cartographers[action](c.req.valid('param').identifier, { by: c.var.identity.name }), 200),
    )
  }
  return app
}
