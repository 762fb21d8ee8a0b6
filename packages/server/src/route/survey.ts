import { toMachineView } from '@contractor/core'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { type App, createApp, type RouteContext } from '../http/environment.ts'
import { respondProblem } from '../http/problem.ts'
import { refuseQuery } from '../http/read-from-url.ts'

/** More than the largest report that the engine takes, as machines write it: with blanks, and what it does not keep. */
const mostBytes = 1024 * 1024

/**
 * Where machines report that have booted the bootstrap image, without a token: `POST /survey/IDENTIFIER` with the report,
 * and `GET` of the same to ask how it stands. They are told which Foundation they are and what to do next; nothing of
 * what was reported comes back.
 */
export function surveyRoutes({ contractor: { cartographers }, sourceAddress }: RouteContext): App {
  const app = createApp()
  app.use(refuseQuery)
  app.use(
    bodyLimit({
      maxSize: mostBytes,
      onError: c => respondProblem(c, 413, 'VALIDATION_FAILED', `The report is larger than ${mostBytes} bytes`),
    }),
  )
  app.post('/:identifier', async c => {
    const report = await c.req.json().catch(() => {
      throw new HTTPException(400, { message: 'The body is not valid JSON' })
    })
    const view = await cartographers.report(c.req.param('identifier'), report, { address: sourceAddress(c) })
    return c.json(toMachineView(view), 200, { 'Cache-Control': 'no-store' })
  })
  app.get('/:identifier', async c => {
    const view = await cartographers.getCalled(c.req.param('identifier'), { address: sourceAddress(c) })
    return c.json(toMachineView(view), 200, { 'Cache-Control': 'no-store' })
  })
  return app
}
