import { pageRequest, siteChanges, siteInput } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { site } from '../views.ts'

const params = z.object({ name: z.string() })

export function siteRoutes({ contractor }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(site), 'Sites'),
      }),
      async c => c.json(await contractor.sites.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'post', path: '/', request: jsonBody(siteInput), ...replies(201, site, 'The Site') }),
      async c => c.json(await contractor.sites.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, site, 'The Site') }),
      async c => c.json(await contractor.sites.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/{name}',
        request: { params, ...jsonBody(siteChanges) },
        ...replies(200, site, 'The Site as changed'),
      }),
      async c =>
        c.json(
          await contractor.sites.update(c.req.valid('param').name, c.req.valid('json'), { by: c.var.identity.name }),
          200,
        ),
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await contractor.sites.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
    .openapi(
      createRoute({
        method: 'get',
        path: '/{name}/config',
        request: { params },
        ...replies(200, z.record(z.string(), z.unknown()), 'Its merged config'),
      }),
      async c => c.json(await (await contractor.sites.get(c.req.valid('param').name)).config(), 200),
    )
}
