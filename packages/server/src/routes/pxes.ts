import { pageRequest, pxeInput } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { pxe, saved } from '../views.ts'

const params = z.object({ name: z.string() })

export function pxeRoutes({ contractor: { pxes } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: pageRequest },
        ...replies(200, pageOf(pxe), 'PXEs'),
      }),
      async c => c.json(await pxes.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{name}', request: { params }, ...replies(200, pxe, 'The PXE') }),
      async c => c.json(await pxes.get(c.req.valid('param').name), 200),
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/{name}',
        request: { params, ...jsonBody(pxeInput.omit({ name: true })) },
        ...replies(200, saved, 'What that did'),
      }),
      async c => {
        const { name } = c.req.valid('param')
        return c.json(await pxes.put({ name, ...c.req.valid('json') }, { by: c.var.identity.name }), 200)
      },
    )
    .openapi(createRoute({ method: 'delete', path: '/{name}', request: { params }, ...repliesNothing }), async c => {
      await pxes.delete(c.req.valid('param').name, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
