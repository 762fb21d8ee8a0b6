import { signalText, waitNumber } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type App, createApp, type RouteContext } from '../http/environment.ts'

const params = z.object({ job: z.number().int().positive(), cookie: z.string().max(100) })
const ofWait = params.extend({ wait: waitNumber })
const text = { required: true, content: { 'text/plain': { schema: signalText } } }
const responses = { 204: { description: 'Heard' } }

/**
 * What a machine that is being built reports, in a form that the smallest of tools can send: the Job and its cookie are
 * in the path (`curl -X POST $location/$job/$cookie/complete`), and a text is the plain body. Which wait of the script is
 * over, where it has several, is said by its number at the end of the path, or by the body.
 */
export function signalRoutes({ contractor: { signals } }: RouteContext): App {
  const app = createApp().openapi(
    createRoute({ method: 'post', path: '/{job}/{cookie}/complete', request: { params }, responses }),
    async c => {
      const { job, cookie } = c.req.valid('param')
      await signals.complete(job, cookie, { text: await c.req.text() })
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({ method: 'post', path: '/{job}/{cookie}/complete/{wait}', request: { params: ofWait }, responses }),
    async c => {
      const { job, cookie, wait } = c.req.valid('param')
      await signals.complete(job, cookie, { wait })
      return c.body(null, 204)
    },
  )
  for (const verb of ['message', 'alert'] as const) {
    app.openapi(
      createRoute({ method: 'post', path: `/{job}/{cookie}/${verb}`, request: { params, body: text }, responses }),
      async c => {
        const { job, cookie } = c.req.valid('param')
        await signals[verb](job, cookie, await c.req.text())
        return c.body(null, 204)
      },
    )
  }
  return app
}
