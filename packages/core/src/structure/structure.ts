import { ContractorError, json, maskSecrets, wireError } from '@contractor/plugin'
import { eq, inArray, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { structure } from '../database/schema.ts'
import type { StructureRow } from '../job/target.ts'
import { configValues, hostname, idPageRequest, locator, plainName } from '../name.ts'
import { nameUnknown } from '../near-name.ts'

export const structureInput = z.strictObject({
  hostname,
  site: plainName,
  blueprint: plainName,
  /** The locator of the Foundation that it stands on, which may be of another Site. */
  foundation: locator,
  configValues: configValues.default({}),
})
export type StructureInput = z.output<typeof structureInput>

/** What may change; what it is made of (BluePrint, Foundation) only while it is planned. */
export const structureChanges = z
  .strictObject({ hostname, site: plainName, blueprint: plainName, foundation: locator, configValues })
  .partial()

export const structureView = structureInput.extend({
  id: z.number().int(),
  state: z.enum(['planned', 'built']),
  configUuid: z.uuid(),
  configValues: z.record(z.string(), json),
  builtAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type StructureView = z.output<typeof structureView>

const structureFilter = z.strictObject(
  {
    site: z.string().optional(),
    blueprint: z.string().optional(),
    state: z.enum(['planned', 'built']).optional(),
  },
  { error: nameUnknown },
)
export const structureQuery = idPageRequest.extend(structureFilter.shape)
export const structureCountQuery = structureFilter
export const structureConfigQuery = structureFilter.extend({ ids: z.array(z.number().int()).optional() })

/** The config of one of many Structures, or why it cannot be rendered. */
export const structureConfig = z.object({
  id: z.number().int(),
  hostname: z.string(),
  values: z.record(z.string(), json).optional(),
  error: wireError.optional(),
})
export type StructureConfig = z.output<typeof structureConfig>

export function toStructureView(row: StructureRow): StructureView {
  return {
    id: row.id,
    hostname: row.hostname,
    site: row.site,
    blueprint: row.blueprint,
    foundation: row.foundation,
    state: row.state,
    configUuid: row.configUuid,
    // A script may have kept a secret there.
    configValues: maskSecrets(row.configValues),
    builtAt: row.builtAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function structureConditions({
  site,
  blueprint,
  state,
  ids,
}: z.output<typeof structureConfigQuery>): (SQL | undefined)[] {
  return [
    site === undefined ? undefined : eq(structure.site, site),
    blueprint === undefined ? undefined : eq(structure.blueprint, blueprint),
    state && eq(structure.state, state),
    ids && inArray(structure.id, ids),
  ]
}

export async function requireStructure(db: Db, id: number): Promise<StructureRow> {
  const [row] = await db.select().from(structure).where(eq(structure.id, id))
  if (!row) throw missingStructure(id)
  return row
}

export const missingStructure = (id: number) =>
  new ContractorError('NOT_FOUND', `Structure ${id} does not exist`, { kind: 'Structure', id })
