import { serviceInput, serviceQuery, serviceView } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'

const params = z.object({ id: z.number().int().positive() })
const service = serviceView.meta({ id: 'Service' })

export function serviceRoutes({ contractor: { services } }: RouteContext): App {
  return createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: serviceQuery },
        ...replies(200, pageOf(service), 'What agents run all the time'),
      }),
      async c => c.json(await services.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/',
        request: jsonBody(serviceInput),
        ...replies(200, service, 'The service as it is configured for the Site'),
      }),
      async c => c.json(await services.put(c.req.valid('json'), { by: c.var.identity.name }), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, service, 'The service') }),
      async c => c.json(await services.get(c.req.valid('param').id), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{id}', request: { params }, ...repliesNothing }), async c => {
      await services.delete(c.req.valid('param').id, { by: c.var.identity.name })
      return c.body(null, 204)
    })
}
