import { createHash } from 'node:crypto'
import type { PGlite } from '@electric-sql/pglite'
import type { PgDialect } from 'drizzle-orm/pg-core'
import type { Db } from './db.ts'
import { internalsOf } from './internals.ts'

/**
 * PGlite plans a statement anew each time: 4 ms of 5 for one that joins ten tables. A statement that is prepared by
 * name, in SQL, keeps its plan for as long as the database is open; it is the session's, of which PGlite has one,
 * however many handles there are. Handles of a host's own are not known here, and their statements are not prepared.
 */
/** Names by text. */
type Names = Map<string, string>
const ofClient = new WeakMap<PGlite, Names>()
const ofDialect = new WeakMap<PgDialect, Names>()

/** Says that a handle, with its transactions, is one of this client. */
export function shareStatements(client: PGlite, db: Db): void {
  const names = ofClient.get(client) ?? new Map<string, string>()
  ofClient.set(client, names)
  ofDialect.set(internalsOf(db).dialect, names)
}

/** The same name for the same text, in every process: a session refuses one name for two texts. Texts are constant, and few. */
const named = new Map<string, string>()

export function statementName(text: string): string {
  const known = named.get(text)
  if (known !== undefined) return known
  const name = `contractor_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
  named.set(text, name)
  return name
}

export interface NamedStatement {
  /** What makes it known, and what to call when that is done; absent when it is. */
  prepare?: { text: string; done(): void }
  execute: string
}

/** Undefined for a handle that is none of ours. */
export function nameStatement(db: Db, text: string, params: readonly unknown[]): NamedStatement | undefined {
  const known = ofDialect.get(internalsOf(db).dialect)
  if (!known) return undefined
  const present = known.get(text)
  const name = statementName(text)
  const execute = `execute ${name}${params.length ? `(${params.map(toLiteral).join(', ')})` : ''}`
  if (present !== undefined) return { execute }
  // Two may use a text for the first time at once, one of them perhaps in a transaction for whose end the other waits. So
  // neither waits for the other: the later one finds it prepared. It stays so though the transaction be rolled back.
  const prepare = `do $once$ begin
    if not exists (select from pg_prepared_statements where name = '${name}') then
      execute ${quoteText(`prepare ${name} as ${text}`)};
    end if;
  end $once$`
  return { prepare: { text: prepare, done: () => known.set(text, name) }, execute }
}

/** Of what a statement with a fixed text is given: texts (JSON among them), numbers and truths. */
function toLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return quoteText(value instanceof Date ? value.toISOString() : String(value))
}

const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`
