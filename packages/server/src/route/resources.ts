import { loadResult } from '@contractor/contract'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { requirePermission } from '../access/authenticate.ts'
import { type App, createApp, type RouteContext, replies } from '../http/environment.ts'

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
      operationId: 'resources.loadText',
      tags: ['Resource'],
      summary: 'Load a resource file: all of it, or nothing',
      middleware: requirePermission(contractor, 'admin'),
      request: { query, body: { required: true, content: { 'application/toml': { schema: z.string() } } } },
      ...replies(200, loadResult, 'What the file changed, or would change'),
    }),
    async c => {
      const { file, dryRun } = c.req.valid('query')
      const options = { dryRun, by: c.var.identity.name }
      return c.json(await contractor.resources.loadText(await c.req.text(), file, options), 200)
    },
  )
}
