import {
  ContractorError,
  type Json,
  type Page,
  parseInput,
  type SecretView,
  secretInput,
  secretQuery,
} from '@contractor/contract'
import { eq, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { Values } from '../../database/columns.ts'
import { type Db, executeRows } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { secret } from '../../database/secret-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { type Kept, lockRow } from '../../noun/change-row.ts'
import { listRows, toPage } from '../../noun/list-rows.ts'
import { inUse } from '../../noun/refuse.ts'
import { checkSaved } from '../../noun/saved.ts'
import { shownStamps } from '../../noun/stamps.ts'

export interface Secrets {
  /** Stores a value under a name, or another one in its place: whoever reads the config from then on has that. */
  put(input: z.input<typeof secretInput>, options?: CallOptions): Promise<SecretView>
  list(query?: z.input<typeof secretQuery>, options?: CallOptions): Promise<Page<SecretView>>
  /** Refused with IN_USE while a config value names it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

const kept: Kept<typeof secret> = { kind: 'Secret', table: secret, key: secret.name, lock: 'secret' }

export function createSecrets(engine: Engine): Secrets {
  return surface(engine, {
    async put(input, options = {}) {
      const { name, value } = parseInput(secretInput, input, 'The secret')
      const sealed = engine.seals.seal(value, `Secret '${name}'`, name)
      return transaction(engine, options, async tx => {
        const now = engine.clock.now()
        if (options.ifVersion !== undefined) {
          takingLock(tx, 'secret')
          const [present] = await tx.select().from(secret).where(eq(secret.name, name)).for('no key update')
          checkSaved('Secret', name, present, options)
        }
        const [row] = await tx
          .insert(secret)
          .values({ name, sealed, createdAt: now, updatedAt: now })
          .onConflictDoUpdate({ target: secret.name, set: { sealed, updatedAt: now } })
          .returning()
        await recordEvents(engine, tx, [
          { type: 'secret.changed', by: whoIs(options), subject: name, version: row?.version, data: { name } },
        ])
        return toSecretView(row as typeof secret.$inferSelect)
      })
    },
    async list(query = {}, options = {}) {
      const { after, limit } = parseInput(secretQuery, query, 'The query for secrets')
      const rows = await listRows(options.tx ?? engine.db, secret, { after, limit }, { key: secret.name })
      return toPage(rows, limit, row => row.name, toSecretView)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await lockRow(tx, kept, name, options, 'references')
        const by = (await usersOfSecret(tx, name)).map(who => `the config of ${who}`)
        if (by.length) throw inUse('Secret', name, by, ['names it', 'name it'])
        await tx.delete(secret).where(eq(secret.name, name))
        await recordEvents(engine, tx, [{ type: 'secret.deleted', by: whoIs(options), subject: name, data: { name } }])
      })
    },
  })
}

const toSecretView = (row: typeof secret.$inferSelect): SecretView => ({ name: row.name, ...shownStamps(row) })

async function usersOfSecret(tx: Db, name: string): Promise<string[]> {
  const names = sql`jsonb_path_exists(config_values, '$.**."$secret" ? (@ == $name)', jsonb_build_object('name', ${name}::text))`
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`select 'Site ' || name as who from contractor.site where ${names}
        union all select 'BluePrint ' || name from contractor.blueprint where ${names}
        union all select 'Structure ' || hostname from contractor.structure where ${names} limit 20`,
  )
  return rows.map(row => row.who)
}

/** The name that `{ "$secret": … }` has; undefined for any other value. */
export function namedSecret(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const name = value.$secret
  return typeof name === 'string' && Object.keys(value).length === 1 ? name : undefined
}

/** The secrets that these values name: as references, by name. Nothing is read, and nothing given, where none is named. */
export async function loadNamedSecrets(
  db: Db,
  values: Iterable<Values>,
): Promise<ReadonlyMap<string, string> | undefined> {
  const names = new Set<string>()
  for (const one of values) collectNames(one, names)
  if (!names.size) return undefined
  const rows = await db
    .select()
    .from(secret)
    .where(inArray(secret.name, [...names]))
  return new Map(rows.map(row => [row.name, row.sealed]))
}

function collectNames(value: Json, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const name = namedSecret(value)
  if (name !== undefined) names.add(name)
  else for (const item of Object.values(value)) collectNames(item, names)
}

/** A value with `{ "$secret": NAME }` replaced by the reference. Throws CONFIG_INVALID where there is no such secret. */
export function linkSecrets<T extends Json>(value: T, secrets: ReadonlyMap<string, string>, source: string): T {
  const link = (item: Json): Json => {
    if (typeof item !== 'object' || item === null) return item
    if (Array.isArray(item)) return item.map(link)
    const name = namedSecret(item)
    if (name === undefined) return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, link(inner)]))
    const found = secrets.get(name)
    if (found !== undefined) return found
    throw new ContractorError(
      'CONFIG_INVALID',
      `Config of ${source} names the secret '${name}', which does not exist. Store it, or take the value away.`,
      { target: source, key: name },
    )
  }
  return link(value) as T
}
