import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, type RouteContext, replies } from '../environment.ts'

const loaded = z
  .object({
    changes: z.array(
      z.object({
        kind: z.enum(['script', 'foundation', 'structure', 'pxe', 'sflink']),
        name: z.string(),
        change: z.enum(['created', 'changed', 'unchanged']),
      }),
    ),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'LoadResult' })

/** Resource files: the body is the file's text, `file` is how messages name it. */
export function resourceRoutes({ contractor }: RouteContext): App {
  return createApp().openapi(
    createRoute({
      method: 'post',
      path: '/',
      request: {
        query: z.object({ file: z.string().default('resources.toml') }),
        body: { required: true, content: { 'application/toml': { schema: z.string() } } },
      },
      ...replies(200, loaded, 'What the file changed'),
    }),
    async c =>
      c.json(
        await contractor.resources.loadText(await c.req.text(), c.req.valid('query').file, { by: c.var.identity.name }),
        200,
      ),
  )
}
