import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, type RouteContext, replies } from '../environment.ts'
import { loaded } from '../views.ts'

const query = z.object({
  /** How messages name the file. */
  file: z.string().default('resources.toml'),
  /** Says what would change, and changes nothing. */
  dryRun: z.boolean().default(false),
})

/** Resource files: the body is the file's text. */
export function resourceRoutes({ contractor }: RouteContext): App {
  return createApp().openapi(
    createRoute({
      method: 'post',
      path: '/',
      request: { query, body: { required: true, content: { 'application/toml': { schema: z.string() } } } },
      ...replies(200, loaded, 'What the file changed, or would change'),
    }),
    async c => {
      const { file, dryRun } = c.req.valid('query')
      const options = { dryRun, by: c.var.identity.name }
      return c.json(await contractor.resources.loadText(await c.req.text(), file, options), 200)
    },
  )
}
