import { type Event, eventView } from '@contractor/contract'
import { eventQuery } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { requirePermission } from '../access/authenticate.ts'
import { type App, createApp, type RouteContext, replies } from '../http/environment.ts'
import { validationFailed } from '../http/problem.ts'

const events = z.object({ items: z.array(eventView), cursor: z.string() })

/** How often a stream with nothing to say says that it is there, in milliseconds: proxies close what is silent. */
const heartbeatMs = 15_000

/**
 * What happens. As JSON, what followed a cursor; as `text/event-stream`, that and then what comes. A stream that was cut
 * goes on where it was by its Last-Event-ID.
 */
export function eventRoutes({ contractor, closing }: RouteContext): App {
  return createApp().openapi(
    createRoute({
      method: 'get',
      path: '/',
      operationId: 'events.list',
      tags: ['Event'],
      summary: 'What happens: as JSON, or as a stream of server-sent events',
      middleware: requirePermission(contractor, 'admin'),
      request: { query: eventQuery },
      ...replies(200, events, 'Events, oldest first'),
    }),
    async c => {
      const query = c.req.valid('query')
      if (!c.req.header('Accept')?.includes('text/event-stream')) {
        const items = await contractor.events.list(query)
        const cursor = items.at(-1)?.cursor ?? query.after ?? (await contractor.events.cursor())
        return c.json({ items, cursor }, 200)
      }
      const last = c.req.header('Last-Event-ID')
      const parsed = eventQuery.safeParse({ after: last ?? query.after })
      if (!parsed.success) throw validationFailed(parsed.error)
      const { after } = parsed.data
      const gone = new AbortController()
      const signal = AbortSignal.any([closing, gone.signal, c.req.raw.signal])
      return streamSSE(c, async stream => {
        stream.onAbort(() => gone.abort())
        const heartbeat = setInterval(() => void stream.write(': here\n\n'), heartbeatMs)
        try {
          for await (const one of contractor.events.watch({ after, job: query.job, signal }))
            await stream.writeSSE(toMessage(one))
        } finally {
          clearInterval(heartbeat)
        }
      }) as never
    },
  )
}

function toMessage(one: Event) {
  return { id: one.cursor, event: one.type, data: JSON.stringify(one) }
}
