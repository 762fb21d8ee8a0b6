import { pageRequest, scriptInput } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { saved, script } from '../views.ts'

const params = z.object({ name: z.string() })

export function scriptRoutes({ contractor: { scripts } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(script), 'Scripts'),
      }),
      async c => c.json(await scripts.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, script, 'The Script') }),
      async c => c.json(await scripts.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/{name}',
        request: { params, ...jsonBody(scriptInput.omit({ name: true })) },
        ...replies(200, saved.extend({ warnings: z.array(z.string()) }), 'What that did'),
      }),
      async c => {
        const { name } = c.req.valid('param')
        return c.json(await scripts.put({ name, ...c.req.valid('json') }, { by: c.var.identity.name }), 200)
      },
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await scripts.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
