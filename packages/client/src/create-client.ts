import { type Event, type LoadResult, type Method, type Noun, nouns } from '@contractor/contract'
import type { CallOptions, Client } from './client.ts'
import { type Connection, send } from './send.ts'
import { watchEvents } from './watch-events.ts'

/** A client of a server: its functions are those of the SDK, as the nouns declare them. */
export function createClient(connection: Connection): Client {
  const client: Record<string, Record<string, unknown>> = {}
  for (const noun of Object.values(nouns) as Noun[]) {
    const [outer = '', inner] = noun.part.split('.')
    const part = Object.fromEntries(
      Object.entries(noun.methods).map(([name, method]) => [name, callOf(connection, noun, method)]),
    )
    const present = client[outer] ?? {}
    client[outer] = inner ? { ...present, [inner]: part } : { ...present, ...part }
  }
  // Made of the nouns one by one: that each part has the functions of its noun, the loop above sees to.
  return {
    ...client,
    events: {
      async list(query = {}, { signal } = {}) {
        const response = await send(connection, { verb: 'get', path: '/events', query, signal })
        return ((await response.json()) as { items: Event[] }).items
      },
      watch: (options = {}) => watchEvents(connection, options),
    },
    resources: {
      async loadText(text, file, { dryRun, signal } = {}) {
        const request = { verb: 'post', path: '/resources', query: { file, dryRun }, body: text, signal }
        const response = await send(connection, { ...request, contentType: 'application/toml' })
        return (await response.json()) as LoadResult
      },
    },
  } satisfies Pick<Client, 'events' | 'resources'> as unknown as Client
}

/** A method as a function: what it is called with, laid out as its route wants it. */
function callOf(connection: Connection, noun: Noun, method: Method) {
  return async (...given: unknown[]): Promise<unknown> => {
    const rest = [...given]
    const key = method.on === 'one' ? [rest.shift()] : []
    const names = Object.keys(method.params ?? {})
    const isWhole = method.gives === 'whole'
    const params = isWhole ? {} : Object.fromEntries(names.map(name => [name, rest.shift()]))
    const inputs = takes(method) ? [rest.shift()] : []
    const { ifVersion, signal, ...more } = (rest.shift() ?? {}) as CallOptions
    const { body, query, own } = layOut(method, inputs[0], more, names)
    const path = [noun.path, ...key.map(encode)].join('/') + fill(method.path, { ...params, ...own })
    const headers: Record<string, string> = ifVersion === undefined ? {} : { 'If-Match': `"${ifVersion}"` }
    const response = await send(connection, { verb: method.verb, path: `/${path}`, query, body, headers, signal })
    if (method.status === 204) return undefined
    const reply = (await response.json()) as Record<string, unknown>
    return method.under === undefined ? reply : reply[method.under]
  }
}

const takes = ({ gives, body, query }: Method) => gives !== 'options' && (body !== undefined || query !== undefined)

function layOut(method: Method, input: unknown, more: object, names: readonly string[]) {
  if (!method.body) return { query: input as Record<string, unknown> | undefined, body: undefined, own: {} }
  if (method.gives === 'options')
    return { query: undefined, body: Object.keys(more).length ? more : undefined, own: {} }
  if (method.gives === 'input') return { query: undefined, body: input ?? {}, own: {} }
  if (method.gives !== 'whole') return { query: undefined, body: { [method.gives[0] as string]: input }, own: {} }
  const entries = Object.entries(input as object)
  const isOwn = ([name]: [string, unknown]) => names.includes(name)
  const body = Object.fromEntries(entries.filter(entry => !isOwn(entry)))
  return { query: undefined, body, own: Object.fromEntries(entries.filter(isOwn)) }
}

const encode = (value: unknown) => encodeURIComponent(String(value))
const fill = (path: string, params: Readonly<Record<string, unknown>>) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encode(params[name]))
