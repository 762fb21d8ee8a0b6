import { structureCountQuery, structureInput, structureQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { job, structure } from '../views.ts'

const params = z.object({ id: z.number().int().positive() })
const states = ['built', 'destroyed'] as const

export function structureRoutes({ contractor }: RouteContext): App {
  const { structures, jobs } = contractor
  const app = createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: structureQuery },
        ...replies(200, pageOf(structure), 'Structures'),
      }),
      async c => c.json(await structures.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(structureInput),
        ...replies(201, structure, 'The Structure'),
      }),
      async c => c.json(await structures.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    // Before /{id}: the first route that fits is taken.
    .openapi(
      createRoute({
        method: 'get',
        path: '/count',
        request: { query: structureCountQuery },
        ...replies(200, z.object({ count: z.number().int() }), 'How many Structures there are'),
      }),
      async c => c.json({ count: await structures.count(c.req.valid('query')) }, 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, structure, 'The Structure') }),
      async c => c.json(await structures.get(c.req.valid('param').id), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{id}', request: { params }, ...repliesNothing }), async c => {
      await structures.delete(c.req.valid('param').id, { by: c.var.identity.name })
      return c.body(null, 204)
    })
    .openapi(
      createRoute({
        method: 'get',
        path: '/{id}/config',
        request: { params },
        ...replies(200, z.record(z.string(), z.unknown()), 'Its merged config'),
      }),
      async c => c.json(await structures.config(c.req.valid('param').id), 200),
    )
  for (const action of ['create', 'destroy'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{id}/${action}`,
        request: { params },
        ...replies(201, job, `The ${action} Job`),
      }),
      async c =>
        c.json(await jobs.create({ structure: c.req.valid('param').id }, action, { by: c.var.identity.name }), 201),
    )
  }
  for (const state of states) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{id}/set-${state}`,
        request: { params },
        ...replies(200, structure, 'The Structure in its new state'),
      }),
      async c => c.json(await structures.setState(c.req.valid('param').id, state, { by: c.var.identity.name }), 200),
    )
  }
  return app.openapi(
    createRoute({
      method: 'post',
      path: '/{id}/jobs/{action}',
      request: { params: params.extend({ action: z.string() }) },
      ...replies(201, job, 'The Job of a script that the BluePrint names'),
    }),
    async c => {
      const { id, action } = c.req.valid('param')
      return c.json(await jobs.create({ structure: id }, action, { by: c.var.identity.name }), 201)
    },
  )
}
