import type { Sql } from 'postgres'
import { isConnectionLost } from '../src/database/database-error.ts'
import type { Fiber, Life, Scope, Turnstile } from './turnstile.ts'

type Run = (client: Sql) => Promise<unknown>

/**
 * The postgres.js client that an engine is given: each of its statements and commits passes the turnstile, where it may
 * have to wait for others, or fail. Engines share the real client's connections, as processes share a server.
 */
export function gateClient(client: Sql, turnstile: Turnstile, life: Life, lockTimeoutMs: () => number): Sql {
  const begin = async (...given: unknown[]): Promise<unknown> => {
    const run = given.at(-1) as Run
    const fiber = turnstile.current()
    const isolated = (inner: Run) =>
      client.begin('isolation level read committed', async transaction => {
        await transaction.unsafe(`set local lock_timeout = ${lockTimeoutMs()}`)
        return inner(transaction as unknown as Sql)
      })
    if (!fiber) return isolated(run)
    let breaks: (error: unknown) => void = () => undefined
    // As the driver does: when its connection breaks, a transaction is over whatever runs in it.
    const broken = new Promise<never>((_, reject) => {
      breaks = reject
    })
    broken.catch(() => undefined)
    const scope: Scope = { over: false, breaks }
    let committing: (() => void) | undefined
    try {
      const result = await isolated(async transaction => {
        try {
          const value = await Promise.race([run(gateStatements(transaction, () => fiber, scope)), broken])
          await fiber.pass('commit', scope)
          // From here to the answer of the commit.
          void fiber.during(
            () =>
              new Promise<void>(resolve => {
                committing = resolve
              }),
          )
          return value
        } catch (error) {
          scope.over = true
          while (fiber.isAtGate()) fiber.letThrough()
          throw error
        }
      })
      fiber.afterCommit()
      return result
    } finally {
      committing?.()
    }
  }
  const gated = gateStatements(client, () => turnstile.current(), undefined)
  return new Proxy(gated, {
    get(target, key) {
      if (key === 'begin') return begin
      // Nobody sleeps in a simulation, so nobody has to be woken: it saves a connection for each engine.
      if (key === 'listen') return async () => ({ unlisten: async () => undefined })
      if (life.dead && key === 'reserve') throw new Error('The process is dead')
      return Reflect.get(target, key)
    },
  })
}

function gateStatements(client: Sql, fiberOf: () => Fiber | undefined, scope: Scope | undefined): Sql {
  return new Proxy(client, {
    get(target, key) {
      if (key !== 'unsafe') return Reflect.get(target, key)
      return (text: string, parameters?: Parameters<Sql['unsafe']>[1], options?: Parameters<Sql['unsafe']>[2]) => {
        const fiber = fiberOf()
        if (!fiber) return target.unsafe(text, parameters, options)
        // All of them prepared: a run repeats what other runs have asked, and planning it again takes most of its time.
        return createQuery(fiber, scope, () => target.unsafe(text, parameters, { ...options, prepare: true }))
      }
    },
  })
}

/** As much of a postgres.js query as drizzle uses: it is sent when it is first awaited. */
function createQuery(fiber: Fiber, scope: Scope | undefined, send: () => ReturnType<Sql['unsafe']>) {
  const through = async (asValues: boolean): Promise<unknown> => {
    await fiber.pass('statement', scope).catch(error => {
      if (isConnectionLost(error)) scope?.breaks(error)
      throw error
    })
    return fiber.during(async () => (asValues ? await send().values() : await send()))
  }
  const thenable = (asValues: boolean) => {
    let sent: Promise<unknown> | undefined
    return {
      // biome-ignore lint/suspicious/noThenProperty: a query is sent by its `then`, as postgres.js has it
      then: (...handlers: Parameters<Promise<unknown>['then']>) => {
        sent ??= through(asValues)
        return sent.then(...handlers)
      },
    }
  }
  return { ...thenable(false), values: () => thenable(true) }
}
