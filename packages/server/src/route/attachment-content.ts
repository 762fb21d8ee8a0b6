import { id } from '@contractor/contract'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { requirePermission } from '../access/authenticate.ts'
import { type App, createApp, errorReplies, type RouteContext, security } from '../http/environment.ts'

/** The bytes of an attachment, as `attachments.read` gives them: no JSON, and never in memory as a whole. */
export function attachmentContentRoutes({ contractor }: RouteContext): App {
  const { attachments } = contractor
  return createApp().openapi(
    createRoute({
      method: 'get',
      path: '/{id}/content',
      operationId: 'attachments.read',
      tags: ['Attachment'],
      summary: 'The bytes of an attachment',
      middleware: requirePermission(contractor, 'admin'),
      request: { params: z.object({ id }) },
      security,
      responses: {
        200: { description: 'Its bytes', content: { 'application/octet-stream': { schema: z.string() } } },
        ...errorReplies,
      },
    }),
    async c => {
      const { name, sizeBytes, sha256, id: own } = await attachments.get(c.req.valid('param').id)
      // Whatever an agent says that it is, no browser is to run it.
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(sizeBytes),
        'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`,
        'X-Content-Type-Options': 'nosniff',
        ETag: `"${sha256}"`,
      }
      return new Response(ReadableStream.from(attachments.read(own)) as ReadableStream, { headers }) as never
    },
  )
}
