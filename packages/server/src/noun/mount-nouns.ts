import { type Method, type Noun, nouns } from '@contractor/contract'
import type { Contractor } from '@contractor/core'
import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { requirePermission } from '../access/authenticate.ts'
import { type App, createApp, type Environment, errorReplies, security } from '../http/environment.ts'
import { exactIntegers } from '../http/exact-integers.ts'
import { etagOf, hasVersion, wantedVersion } from './etag.ts'

/** A function of the SDK, called as its method says. */
type Part = Readonly<Record<string, (...given: unknown[]) => Promise<unknown>>>

/** Every route of every noun, as its declaration says: parameters, body, reply, rights and description. */
export function nounRoutes(contractor: Contractor): App {
  const app = createApp()
  const routes = Object.values(nouns).flatMap((noun: Noun) =>
    Object.entries(noun.methods).map(([name, method]) => ({ noun, name, method, path: pathOf(noun, method) })),
  )
  // Of /structures/count and /structures/{id} the first that is registered is taken.
  for (const { noun, name, method, path } of routes.sort((one, other) => rank(one.path) - rank(other.path))) {
    const run = partOf(contractor, noun)[name]
    if (!run) throw new Error(`The SDK has no ${noun.part}.${name}, which its noun declares`)
    app.openapi(routeOf(contractor, noun, name, method, path), (async (c: Context<Environment>) =>
      respond(c, method, await run(...argumentsOf(c, noun, method)))) as never)
  }
  return app
}

/** How much of a path is not as it is written. */
const rank = (path: string) => path.split('{').length

export const pathOf = (noun: Noun, method: Method): string =>
  `/${noun.path}${method.on === 'one' ? `/{${noun.key?.name}}` : ''}${method.path}`

function partOf(contractor: Contractor, { part }: Noun): Part {
  const found = part.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], contractor)
  return found as Part
}

function routeOf(contractor: Contractor, noun: Noun, name: string, method: Method, path: string) {
  const { key } = noun
  // A name that could be none names nothing: that it does not exist is the better answer.
  const own =
    method.on === 'one' && key ? { [key.name]: key.schema instanceof z.ZodNumber ? key.schema : z.string() } : {}
  const params = z.object({ ...own, ...textParams(method) })
  const json = method.output && { 'application/json': { schema: method.output } }
  return createRoute({
    method: method.verb,
    path,
    operationId: `${noun.part}.${name}`,
    tags: [noun.name],
    summary: method.summary,
    middleware: [requirePermission(contractor, method.allow), exactIntegers],
    request: {
      params,
      ...(method.query && { query: method.query }),
      ...(method.body && {
        body: { required: !method.bodyOptional, content: { 'application/json': { schema: method.body } } },
      }),
    },
    security,
    responses: {
      [method.status]: { description: method.summary, ...(json && { content: json }) },
      ...errorReplies,
    },
  })
}

const textParams = ({ params = {} }: Method) => Object.fromEntries(Object.keys(params).map(name => [name, z.string()]))

/** What the SDK is called with: key, parameters, what is given, options. */
function argumentsOf(c: Context<Environment>, { key }: Noun, method: Method): unknown[] {
  const valid = (what: 'param' | 'query' | 'json') => c.req.valid(what as never) as Record<string, unknown>
  const { [key?.name ?? '']: id, ...params } = valid('param')
  const version = wantedVersion(c, method.ifVersion)
  const options = { by: c.var.identity.name, ...(version !== undefined && { ifVersion: version }) }
  const own = method.on === 'one' ? [id] : []
  if (method.gives === 'whole') return [{ ...valid('param'), ...valid('json') }, options]
  const given = method.body ? valid('json') : method.query ? valid('query') : undefined
  if (given === undefined) return [...own, ...Object.values(params), options]
  if (method.gives === 'options') return [...own, { ...given, ...options }]
  const inputs = method.gives === 'input' ? [given] : method.gives.map(name => given[name])
  return [...own, ...Object.values(params), ...inputs, options]
}

function respond(c: Context<Environment>, method: Method, result: unknown): Response {
  if (method.status === 204) return c.body(null, 204)
  if (method.under !== undefined) return c.json({ [method.under]: result }, method.status)
  const version = typeof result === 'object' && result !== null && 'version' in result ? result.version : undefined
  if (typeof version === 'number') {
    c.header('ETag', etagOf(version))
    if (method.verb === 'get' && hasVersion(c, version)) return c.body(null, 304)
  }
  return c.json(result as object, method.status)
}
