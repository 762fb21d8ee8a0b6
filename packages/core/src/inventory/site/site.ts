import { site } from '../../database/schema.ts'
import type { Kept } from '../../noun/change-row.ts'

export type SiteRow = typeof site.$inferSelect

export const keptSites: Kept<typeof site> = { kind: 'Site', table: site, key: site.name, lock: 'site' }
