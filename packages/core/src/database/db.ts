import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'

/**
 * A database, or a transaction on one: one type for PGlite and PostgreSQL, so that a query is written once. Which tables a
 * caller has told drizzle of is the caller's affair.
 */
// biome-ignore lint/suspicious/noExplicitAny: drizzle's schema parameters are invariant, and nothing narrower takes them all
export type Db = PgDatabase<PgQueryResultHKT, any, any>
