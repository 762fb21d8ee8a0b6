import type { Sql, TransactionSql } from 'postgres'
import { isConnectionLost } from './database-error.ts'

/**
 * The driver's client, for sessions that may be ended at any moment. postgres.js 3.4.9 has three ways to pass the loss of a
 * connection on to whom it does not concern:
 *
 * - What is sent on a connection that is gone ends the process, by an uncaught TypeError of its next turn; the ROLLBACK of its
 *   own `begin` does so as well. So nothing more is sent on one that is lost.
 * - The first statement on the connection that takes its place is refused with the error of the last one on the old one, and
 *   is not sent. It is sent again: the error says which statement it is of.
 *
 * Transactions say their isolation as they begin, also behind a pooler, whose sessions are others' as well.
 */
export function outliveLoss(client: Sql): Sql {
  const begin = (run: Run) => beginTransaction(client, run)
  const unsafe = (...given: Parameters<Sql['unsafe']>) => sendAgain(client, given)
  return new Proxy(client, {
    get(target, key) {
      if (key === 'begin') return begin
      return key === 'unsafe' ? unsafe : Reflect.get(target, key)
    },
  })
}

type Run = (client: TransactionSql) => Promise<unknown>

/** There are as many such errors as connections at the most. */
const mostAttempts = 20

const isOfAnother = (error: unknown, statement: string): boolean =>
  isConnectionLost(error) && 'query' in (error as Error) && (error as { query?: unknown }).query !== statement

const begins = 'isolation level read committed'

async function beginTransaction(client: Sql, run: Run): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    let hasBegun = false
    const connection = { isLost: false }
    const begun = client.begin(begins, transaction => {
      hasBegun = true
      return survive(connection, transaction, run)
    })
    begun.catch(() => {
      connection.isLost = true
    })
    try {
      return await begun
    } catch (error) {
      if (hasBegun || attempt === mostAttempts || !isOfAnother(error, `begin ${begins}`)) throw error
    }
  }
}

type Given = Parameters<Sql['unsafe']>
type Query = ReturnType<Sql['unsafe']>

/** A statement by itself. */
function sendAgain(client: Sql, given: Given, attempt = 1): Query {
  const query = client.unsafe(...given) as Query & { isRaw?: unknown }
  return hear(query, withoutHoles, error => {
    if (attempt === mostAttempts || !isOfAnother(error, given[0])) throw error
    // The shape of the rows that was asked for.
    return Object.assign(sendAgain(client, given, attempt + 1), { isRaw: query.isRaw })
  })
}

type Rows = Awaited<Query>

function withoutHoles(rows: Rows): Rows {
  let holes = 0
  while (holes < rows.length && rows[holes] === undefined) holes++
  rows.splice(0, holes)
  return rows
}

/** Hears of a query's end before anybody else does. */
function hear(query: Query, ended: (rows: Rows) => Rows, failed: (error: unknown) => unknown): Query {
  const send = query.then.bind(query)
  // biome-ignore lint/suspicious/noThenProperty: a query of the driver is sent when it is waited for
  query.then = ((resolve, reject) => send(ended, failed).then(resolve as never, reject)) as typeof query.then
  return query
}

const asItIs = (rows: Rows) => rows

interface Connection {
  isLost: boolean
}

/** What runs on a lost connection is left to itself: told to end, it would be rolled back. `begin` rejects by what the driver hears. */
async function survive(connection: Connection, transaction: TransactionSql, run: Run): Promise<unknown> {
  try {
    return await run(guard(connection, transaction))
  } catch (error) {
    if (connection.isLost) return never()
    throw error
  }
}

const never = () => new Promise<never>(() => undefined)

/** As much of the driver's transaction as drizzle uses. */
function guard(connection: Connection, transaction: TransactionSql): TransactionSql {
  const savepoint = (run: Run) => transaction.savepoint(inner => survive(connection, inner, run))
  const unsafe = (...given: Given) => {
    // Whoever still asks has not heard of it yet.
    if (connection.isLost) return Object.assign(never(), { values: never, execute: never })
    return hear(transaction.unsafe(...given), asItIs, error => {
      if (isConnectionLost(error)) connection.isLost = true
      throw error
    })
  }
  return new Proxy(transaction, {
    get(target, key) {
      if (key === 'unsafe') return unsafe
      return key === 'savepoint' ? savepoint : Reflect.get(target, key)
    },
  })
}
