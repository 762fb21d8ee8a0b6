import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'

/**
 * What `pg_dump` and `psql` do, which do not come with the PostgreSQL from npm: all rows of Contractor, and where its
 * sequences are, into tables that are there and whose own rows go. By way of files that the servers write and read
 * themselves, so both have to be on this machine.
 */
export async function copyDatabase(from: string, to: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  // A server may run as another user.
  await chmod(folder, 0o777)
  const quiet = { max: 1, onnotice: () => undefined }
  const source = postgres(from, quiet)
  const target = postgres(to, quiet)
  const fileOf = (name: string) => `'${join(folder, name)}'`
  try {
    const names = await source.begin('isolation level repeatable read read only', async dump => {
      const tables = await dump<{ name: string }[]>`
        select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'contractor'`
      for (const { name } of tables) await dump.unsafe(`copy ${name} to ${fileOf(name)}`)
      return tables.map(table => table.name)
    })
    const sequences = await source<{ name: string; last: string }[]>`
      select format('%I.%I', schemaname, sequencename) as name, last_value::text as last
      from pg_sequences where schemaname = 'contractor' and last_value is not null`
    await target.begin(async restored => {
      // No constraint looks at rows whose others are to come.
      await restored`set local session_replication_role = replica`
      await restored.unsafe(`truncate ${names.join(', ')}`)
      for (const name of names) await restored.unsafe(`copy ${name} from ${fileOf(name)}`)
      for (const { name, last } of sequences) await restored`select setval(${name}::regclass, ${last}::bigint)`
    })
  } finally {
    await Promise.all([source.end(), target.end()])
  }
}
