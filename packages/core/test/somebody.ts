import postgres, { type ReservedSql, type Sql } from 'postgres'
import { onTestFinished } from 'vitest'
import type { TestDatabase } from '../../../test/databases.ts'

/** A client of somebody else in the same database; called `somebody`, unless said. */
export function connect(
  { database }: { database: TestDatabase },
  options: postgres.Options<Record<string, never>> = {},
): Sql {
  const client = postgres(database.option as string, {
    max: 4,
    onnotice: () => undefined,
    connection: { application_name: 'somebody' },
    ...options,
  })
  onTestFinished(() => client.end({ timeout: 1 }))
  return client
}

/** A session of somebody else's that holds what its statements have locked, until it is told to let go. */
export async function hold(client: Sql, ...statements: string[]): Promise<{ letGo(): Promise<void>; pid: number }> {
  const session: ReservedSql = await client.reserve()
  await session.unsafe('begin')
  for (const statement of statements) await session.unsafe(statement)
  const [row] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`
  return {
    pid: row?.pid ?? 0,
    async letGo() {
      await session.unsafe('rollback')
      session.release()
    },
  }
}
