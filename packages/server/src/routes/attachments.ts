import { attachmentQuery, attachmentView } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, pageOf, type RouteContext, replies } from '../environment.ts'

const params = z.object({ id: z.number().int().positive() })
const attachment = attachmentView.meta({ id: 'Attachment' })

export function attachmentRoutes({ contractor: { attachments } }: RouteContext): App {
  const app = createApp()
    .openapi(
      createRoute({
        method: 'get',
        path: '/',
        request: { query: attachmentQuery },
        ...replies(200, pageOf(attachment), 'Large outputs of what Jobs have done'),
      }),
      async c => c.json(await attachments.list(c.req.valid('query')), 200),
    )
    .openapi(
      createRoute({ method: 'get', path: '/{id}', request: { params }, ...replies(200, attachment, 'The attachment') }),
      async c => c.json(await attachments.get(c.req.valid('param').id), 200),
    )
  return app.openapi(
    createRoute({
      method: 'get',
      path: '/{id}/content',
      request: { params },
      responses: { 200: { description: 'Its bytes', content: { 'application/octet-stream': { schema: z.string() } } } },
    }),
    async c => {
      const { id } = c.req.valid('param')
      const { name, sizeBytes, sha256 } = await attachments.get(id)
      // Whatever an agent says that it is, no browser is to run it.
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(sizeBytes),
        'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`,
        'X-Content-Type-Options': 'nosniff',
        ETag: `"${sha256}"`,
      }
      return new Response(ReadableStream.from(attachments.read(id)) as ReadableStream, { headers }) as never
    },
  )
}
