import type { Json } from '@contractor/plugin'
import { ContractorError, parseInput } from '@contractor/plugin'
import { asc, eq, gt, inArray, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'
import { secret } from '../database/secret-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'

/** Secrets that have a name: a config value `{ "$secret": "lab/root-password" }` stands for one. */
export const secretName = z
  .string()
  .max(200, 'must be 200 characters at the most')
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]*$/, 'must be letters, digits, ., _, / and -, beginning with a letter or digit')

export const secretInput = z.strictObject({ name: secretName, value: z.string().min(1) })

/** A secret's value is in no view. */
export const secretView = z.object({ name: z.string(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime() })
export type SecretView = z.output<typeof secretView>

export interface Secrets {
  /** Stores a value under a name, or another one in its place: whoever reads the config from then on has that. */
  put(input: z.input<typeof secretInput>, options?: CallOptions): Promise<SecretView>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<SecretView>>
  /** Refused with IN_USE while a config value names it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createSecrets(engine: Engine): Secrets {
  return surface(engine, {
    async put(input, options = {}) {
      const { name, value } = parseInput(secretInput, input, 'The secret')
      const sealed = engine.seals.seal(value, `Secret '${name}'`, name)
      return transaction(engine, options, async tx => {
        const now = engine.clock.now()
        const [row] = await tx
          .insert(secret)
          .values({ name, sealed, createdAt: now, updatedAt: now })
          .onConflictDoUpdate({ target: secret.name, set: { sealed, updatedAt: now } })
          .returning()
        await recordEvents(tx, engine.clock, [{ type: 'secret.changed', by: whoIs(options), data: { name } }])
        await notify(tx, 'event')
        return toSecretView(row as typeof secret.$inferSelect)
      })
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(secret)
        .where(after === undefined ? undefined : gt(secret.name, after))
        .orderBy(asc(secret.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toSecretView)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        const by = await usersOfSecret(tx, name)
        if (by.length) {
          throw new ContractorError(
            'IN_USE',
            `Secret '${name}' cannot be deleted: the config of ${by.join(', ')} names it`,
            {
              kind: 'Secret',
              id: name,
              by,
            },
          )
        }
        const gone = await tx.delete(secret).where(eq(secret.name, name)).returning({ name: secret.name })
        if (!gone.length)
          throw new ContractorError('NOT_FOUND', `Secret '${name}' does not exist`, { kind: 'Secret', id: name })
        await recordEvents(tx, engine.clock, [{ type: 'secret.deleted', by: whoIs(options), data: { name } }])
        await notify(tx, 'event')
      })
    },
  })
}

function toSecretView({ name, createdAt, updatedAt }: typeof secret.$inferSelect): SecretView {
  return { name, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}

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
