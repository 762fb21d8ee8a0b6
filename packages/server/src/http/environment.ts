import type { Contractor, Identity } from '@contractor/core'
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'
import type { z } from 'zod'
import { problem, validationFailed } from './problem.ts'
import { readFromUrl } from './read-from-url.ts'
import type { SourceAddress } from './source-address.ts'

/** What a request carries on its way through the routes. */
export interface Environment {
  Variables: { identity: Identity }
}

export type App = OpenAPIHono<Environment>

/** What the routes are given. */
export interface RouteContext {
  contractor: Contractor
  /** Aborted when the server closes: ends what waits. */
  closing: AbortSignal
  sourceAddress: SourceAddress
}

/**
 * An app whose refusals of input are the engine's own errors, and whose routes take no query parameter that they do not
 * know.
 */
export function createApp(): App {
  const app = new OpenAPIHono<Environment>({
    defaultHook: result => {
      if (!result.success) throw validationFailed(result.error as z.ZodError)
    },
  })
  const add = app.openapi.bind(app)
  // The types of a route stay: its handler is given what the schemas say.
  app.openapi = ((route: RouteConfig, ...rest: [never]) => add(readFromUrl(route), ...rest)) as typeof app.openapi
  return app
}

/** Of a route that needs a token. */
export const security = [{ bearer: [] }]

/** What every route may answer instead. */
export const errorReplies = {
  default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
}

interface Replies<Status extends number, Schema extends z.ZodType> {
  security: typeof security
  responses: Record<Status, { description: string; content: { 'application/json': { schema: Schema } } }>
}

/** A JSON reply, for the table of responses of a route that is no noun's. Errors are thrown, so handlers' types need not know of them. */
export function replies<const Status extends 200 | 201, Schema extends z.ZodType>(
  status: Status,
  schema: Schema,
  description: string,
): Replies<Status, Schema> {
  const responses = { [status]: { description, content: { 'application/json': { schema } } }, ...errorReplies }
  return { security, responses: responses as unknown as Replies<Status, Schema>['responses'] }
}

/** A JSON body, for a route's request. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { body: { required: true, content: { 'application/json': { schema } } } }
}
