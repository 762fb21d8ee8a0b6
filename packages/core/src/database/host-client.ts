/**
 * Clients that a host has opened, as far as the engine uses them. They are known by their shape, in types too: the host's
 * may be of another copy of the package than the one that is found from here, or of its CommonJS half, and whose package
 * is not installed has no types to name.
 */
export interface PgliteClient {
  readonly waitReady: Promise<void>
  query(statement: string): Promise<{ rows: unknown[] }>
  exec(statements: string): Promise<unknown>
  transaction<T>(run: (transaction: unknown) => Promise<T>): Promise<T>
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>
}

/** postgres.js: a function, for its tagged templates. */
export interface PostgresClient {
  readonly options: object
  reserve(): PromiseLike<unknown>
  unsafe(statement: string): PromiseLike<unknown>
  listen(channel: string, heard: (payload: string) => void): PromiseLike<unknown>
}

export const isPgliteClient = (value: object): value is PgliteClient =>
  hasFunctions(value, 'query', 'exec', 'transaction', 'listen')

export const isPostgresClient = (value: object): value is PostgresClient =>
  typeof value === 'function' && hasFunctions(value, 'reserve', 'unsafe', 'listen')

/** A Pool or a Client of `pg`, or what imitates one. */
export const isNodePostgres = (value: object): boolean =>
  hasFunctions(value, 'query', 'connect', 'on') && !isPgliteClient(value)

const hasFunctions = (value: object, ...names: string[]): boolean =>
  names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
