import { text } from 'drizzle-orm/pg-core'
import { contractor, stamps } from './columns.ts'

/** A value that never shows, by the name that everything else holds instead. */
export const secret = contractor.table('secret', {
  name: text('name').primaryKey(),
  /** Encrypted and authenticated together with the name. */
  sealed: text('sealed').notNull(),
  ...stamps(),
})
