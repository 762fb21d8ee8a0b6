import type { PgDialect, PgSession } from 'drizzle-orm/pg-core'
import type { Db } from './db.ts'

/** What drizzle keeps to itself, and we need for what it has no function for. */
export const internalsOf = (db: Db): { dialect: PgDialect; session: PgSession } =>
  db as unknown as { dialect: PgDialect; session: PgSession }
