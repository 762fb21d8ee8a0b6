import { plotChanges, plotContent, plotContentQuery, plotInput, plotQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { plot } from '../views.ts'

const params = z.object({ name: z.string() })

export function plotRoutes({ contractor: { plots } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({ method: 'get', path: '/', request: { query: plotQuery }, ...replies(200, pageOf(plot), 'Plots') }),
      async c => c.json(await plots.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'post', path: '/', request: jsonBody(plotInput), ...replies(201, plot, 'The Plot') }),
      async c => c.json(await plots.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, plot, 'The Plot') }),
      async c => c.json(await plots.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/{name}/contents',
        request: { params, query: plotContentQuery },
        ...replies(200, pageOf(plotContent), 'What stands there, and in the places within it unless `deep` is false'),
      }),
      async c => c.json(await plots.contents(c.req.valid('param').name, c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/{name}',
        request: { params, ...jsonBody(plotChanges) },
        ...replies(200, plot, 'The Plot as changed'),
      }),
      async c =>
        c.json(await plots.update(c.req.valid('param').name, c.req.valid('json'), { by: c.var.identity.name }), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await plots.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
