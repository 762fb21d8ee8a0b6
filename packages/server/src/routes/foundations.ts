import { discoverInput, foundationInput, foundationQuery, hardware } from '@contractor/core'
import { json } from '@contractor/plugin'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, jsonBody, pageOf, type RouteContext, replies, repliesNothing } from '../environment.ts'
import { foundation, job } from '../views.ts'

const params = z.object({ locator: z.string() })
const fields = z.record(z.string(), json)
const candidate = z.object({ locator: z.string(), fields, details: json })
const reading = z.object({
  exists: z.boolean(),
  fields,
  differences: z.array(z.object({ field: z.string(), kept: json, seen: json })),
  details: json,
})
const states = ['located', 'built', 'destroyed'] as const
/** What its machine reports of its hardware, where its BluePrint has a validation template. */
const shown = z.strictObject({ idMap: hardware.optional() }).optional()

export function foundationRoutes({ contractor }: RouteContext): App {
  const { foundations, jobs } = contractor
  const app = createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: foundationQuery },
        ...replies(200, pageOf(foundation), 'Foundations'),
      }),
      async c => c.json(await foundations.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/',
        request: jsonBody(foundationInput),
        ...replies(201, foundation, 'The Foundation'),
      }),
      async c => c.json(await foundations.create(c.req.valid('json'), { by: c.var.identity.name }), 201),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/discover',
        request: jsonBody(discoverInput),
        ...replies(200, z.object({ items: z.array(candidate) }), 'What exists, and is none of ours'),
      }),
      async c => c.json({ items: await foundations.discover(c.req.valid('json')) }, 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/{locator}/read',
        request: { params },
        ...replies(200, reading, 'What is really there, and in what that differs'),
      }),
      async c => c.json(await foundations.read(c.req.valid('param').locator), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/{locator}',
        request: { params },
        ...replies(200, foundation, 'The Foundation'),
      }),
      async c => c.json(await foundations.get(c.req.valid('param').locator), 200),
    )
    .openapi(createRoute({ method: 'delete', path: '/{locator}', request: { params }, ...repliesNothing }), async c => {
      await foundations.delete(c.req.valid('param').locator, { by: c.var.identity.name })
      return c.body(null, 204)
    })
    .openapi(
      createRoute({
        method: 'get',
        path: '/{locator}/config',
        request: { params },
        ...replies(200, z.record(z.string(), z.unknown()), 'Its merged config'),
      }),
      async c => c.json(await foundations.config(c.req.valid('param').locator), 200),
    )
  for (const action of ['create', 'destroy'] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{locator}/${action}`,
        request: { params },
        ...replies(201, job, `The ${action} Job`),
      }),
      async c =>
        c.json(
          await jobs.create({ foundation: c.req.valid('param').locator }, action, { by: c.var.identity.name }),
          201,
        ),
    )
  }
  for (const state of states) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/{locator}/set-${state}`,
        request: { params, body: { required: false, content: { 'application/json': { schema: shown } } } },
        ...replies(200, foundation, 'The Foundation in its new state'),
      }),
      async c => {
        const options = { by: c.var.identity.name, idMap: c.req.valid('json')?.idMap }
        return c.json(await foundations.setState(c.req.valid('param').locator, state, options), 200)
      },
    )
  }
  return app.openapi(
    createRoute({
      method: 'post',
      path: '/{locator}/jobs/{action}',
      request: { params: params.extend({ action: z.string() }) },
      ...replies(201, job, 'The Job of a script that the BluePrint names'),
    }),
    async c => {
      const { locator, action } = c.req.valid('param')
      return c.json(await jobs.create({ foundation: locator }, action, { by: c.var.identity.name }), 201)
    },
  )
}
