import { pageRequest, tokenInput, tokenView } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { token } from '../views.ts'

const params = z.object({ name: z.string() })

export function tokenRoutes({ contractor: { tokens } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(token), 'Tokens'),
      }),
      async c => c.json(await tokens.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(tokenInput),
        ...replies(
          201,
          tokenView.extend({ secret: z.string() }),
          'The token, with its secret, which is told this once',
        ),
      }),
      async c => c.json(await tokens.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await tokens.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
