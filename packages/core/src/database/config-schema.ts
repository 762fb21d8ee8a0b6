import type { Json } from '@contractor/contract'
import { bigint, index, jsonb, text } from 'drizzle-orm/pg-core'
import { contractor, identity, moment } from './columns.ts'

/** Each change of one config value. Without references, so that it can be read when what it is about is gone. */
export const configChange = contractor.table(
  'config_change',
  {
    id: identity(),
    at: moment('at').notNull(),
    /** Who changed it: a token's name, a Job's, or what an embedding program said. */
    by: text('by').notNull(),
    /** Whose value it is: one of the three. */
    site: text('site'),
    blueprint: text('blueprint'),
    structure: bigint('structure', { mode: 'number' }),
    /** As written, with its prefix and class. */
    key: text('key').notNull(),
    /** In a map, so that JSON's null is a value; absent when there was none. */
    before: jsonb('before').$type<{ value: Json }>(),
    after: jsonb('after').$type<{ value: Json }>(),
  },
  table => [
    index('config_change_site').on(table.site, table.id),
    index('config_change_blueprint').on(table.blueprint, table.id),
    index('config_change_structure').on(table.structure, table.id),
  ],
)
