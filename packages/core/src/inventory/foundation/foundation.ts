import { type FoundationView, foundationView, maskSecrets } from '@contractor/contract'
import { foundation } from '../../database/schema.ts'
import { defineFilterable } from '../../filter/filterable.ts'
import type { FoundationRow } from '../../graph/target.ts'
import type { Kept } from '../../noun/change-row.ts'
import { shownStamps } from '../../noun/stamps.ts'

export function toFoundationView(row: FoundationRow): FoundationView {
  return {
    locator: row.locator,
    type: row.type,
    site: row.site,
    blueprint: row.blueprint,
    complex: row.complex,
    plot: row.plot,
    serials: row.serials,
    bmcMac: row.bmcMac,
    fields: maskSecrets(row.fields),
    state: row.state,
    idMap: row.idMap ?? null,
    locatedAt: row.locatedAt?.toISOString() ?? null,
    builtAt: row.builtAt?.toISOString() ?? null,
    ...shownStamps(row),
  }
}

export const keptFoundations: Kept<typeof foundation> = {
  ...{ kind: 'Foundation', table: foundation, key: foundation.locator, lock: 'foundation' },
}

export const foundationFilterable = defineFilterable('Foundation', foundationView, foundation, { hasConfig: true })
