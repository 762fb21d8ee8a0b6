import { maskSecrets, type StructureView, structureView } from '@contractor/contract'
import { structure } from '../../database/schema.ts'
import { defineFilterable } from '../../filter/filterable.ts'
import type { StructureRow } from '../../graph/target.ts'
import type { Kept } from '../../noun/change-row.ts'
import { shownStamps } from '../../noun/stamps.ts'

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
    ...shownStamps(row),
  }
}

export const keptStructures: Kept<typeof structure> = {
  ...{ kind: 'Structure', table: structure, key: structure.id, lock: 'structure' },
}

export const structureFilterable = defineFilterable('Structure', structureView, structure, { hasConfig: true })
