import { isDeepStrictEqual } from 'node:util'
import {
  asJson,
  type Candidate,
  ContractorError,
  type discoverInput,
  type Json,
  maskSecrets,
  type Reading,
} from '@contractor/contract'
import type { ComplexContext, Discovered, FoundationPlugin } from '@contractor/plugin'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import { complex, foundation } from '../../database/schema.ts'
import type { Engine } from '../../engine/engine.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { type InquiryOptions, inquire } from '../../run/inquiry/inquire.ts'

/** Asks an agent what is really there. Throws WRONG_STATE for a type that cannot be read. */
export async function readFoundation(engine: Engine, row: FoundationRow, options: InquiryOptions): Promise<Reading> {
  const plugin = engine.plugins.getFoundation(row.type)
  const { read } = plugin
  if (!read) throw cannot(plugin, 'read what is there')
  const { locator, type, site, state, fields } = row
  const above = row.complex === null ? undefined : await complexContext(engine, row.complex)
  const params = read.params({ locator, type, site, state, fields, ...(above && { complex: above }) })
  const reply = await inquire(engine, { site, module: plugin.module, task: read.task, params }, options)
  const seen = read.seen(reply)
  const found = asJson(seen.fields ?? {}) as Record<string, Json>
  const differences = Object.entries(found).flatMap(([field, value]) =>
    isDeepStrictEqual(value ?? null, fields[field] ?? null)
      ? []
      : [{ field, kept: maskSecrets(fields[field] ?? null), seen: maskSecrets(value ?? null) }],
  )
  return { exists: seen.exists, fields: maskSecrets(found), differences, details: seen.details ?? null }
}

/** Asks an agent what exists and is none of our Foundations. */
export async function discoverFoundations(
  engine: Engine,
  input: z.output<typeof discoverInput>,
  options: InquiryOptions,
): Promise<Candidate[]> {
  const plugin = engine.plugins.getFoundation(input.type)
  const { discover } = plugin
  if (!discover) throw cannot(plugin, 'discover what exists')
  const above = input.complex === undefined ? undefined : await complexContext(engine, input.complex)
  const site = input.site ?? above?.site
  if (site === undefined)
    throw new ContractorError('VALIDATION_FAILED', 'Where to look is not said: name a Site or a Complex', {
      issues: [{ path: 'site', message: 'is needed' }],
    })
  const params = discover.params({ site, ...(above && { complex: above }) })
  const reply = await inquire(engine, { site, module: plugin.module, task: discover.task, params }, options)
  const ours = await engine.db
    .select({ locator: foundation.locator, fields: foundation.fields })
    .from(foundation)
    .where(eq(foundation.type, input.type))
  const { identity = [] } = discover
  const isOurs = (one: Discovered) =>
    ours.some(own =>
      identity.length
        ? identity.every(name => isDeepStrictEqual(own.fields[name] ?? null, one.fields[name] ?? null))
        : own.locator === one.locator,
    )
  return discover
    .found(reply)
    .filter(one => !isOurs(one))
    .map(({ locator, fields, details = null }) => ({
      locator,
      fields: asJson(fields) as Record<string, Json>,
      details,
    }))
}

async function complexContext(engine: Engine, name: string): Promise<ComplexContext | undefined> {
  const [row] = await engine.db.select().from(complex).where(eq(complex.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `Complex '${name}' does not exist`, { kind: 'Complex', id: name })
  const { type, site, fields } = row
  return type === null ? undefined : { name, type, site, fields }
}

const cannot = ({ type }: FoundationPlugin, what: string) =>
  new ContractorError('WRONG_STATE', `The Foundation type '${type}' has no way to ${what}`, {
    kind: 'Foundation type',
    id: type,
    state: 'without',
  })
