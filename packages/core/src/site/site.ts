import type { Db } from '../database/database.ts'
import { site } from '../database/schema.ts'
import { type Kept, readRow } from '../noun/change-row.ts'

export type SiteRow = typeof site.$inferSelect

export const keptSites: Kept<typeof site> = { kind: 'Site', table: site, key: site.name, lock: 'site' }

/** The row of a Site; NOT_FOUND when there is none. */
export const requireSite = (db: Db, name: string): Promise<SiteRow> => readRow(db, keptSites, name)
