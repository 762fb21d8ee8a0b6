import { pageRequest, secretInput } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { secret } from '../views.ts'

/** A name may have slashes: in a path they are `%2F`. */
const params = z.object({ name: z.string() })

/** Secrets go in here, and do not come out. */
export function secretRoutes({ contractor: { secrets } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(secretInput),
        ...replies(200, secret, 'Stored, in place of an earlier one of that name'),
      }),
      async c => c.json(await secrets.put(c.req.valid('json'), { by: c.var.identity.name }), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(secret), 'Names of secrets'),
      }),
      async c => c.json(await secrets.list(c.req.valid('query')), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await secrets.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
