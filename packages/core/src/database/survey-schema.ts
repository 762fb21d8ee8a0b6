import { sql } from 'drizzle-orm'
import { check, inet, jsonb, text, unique } from 'drizzle-orm/pg-core'
import type { Json } from '../plugin/json.ts'
import { contractor, createdAt, moment, updatedAt, type Values } from './columns.ts'
import { foundation } from './schema.ts'

export const cartographerState = contractor.enum('cartographer_state', ['unmatched', 'aside', 'matched'])

/** A machine that has booted and reported itself. */
export const cartographer = contractor.table(
  'cartographer',
  {
    /** What the machine calls itself: unique, and the same at each boot. */
    identifier: text('identifier').primaryKey(),
    state: cartographerState('state').notNull().default('unmatched'),
    message: text('message').notNull().default(''),
    /** What it reported of itself. */
    hardware: jsonb('hardware').$type<Json>(),
    /** The Foundations that it may be, by what, and with which score. */
    evidence: jsonb('evidence').$type<Values[]>().notNull().default([]),
    foundation: text('foundation').references(() => foundation.locator, { onUpdate: 'cascade' }),
    /** From where it was last heard. */
    address: inet('address'),
    matchedAt: moment('matched_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  table => [
    unique('cartographer_foundation').on(table.foundation),
    check('cartographer_matched', sql`(${table.state} = 'matched') = (${table.foundation} is not null)`),
  ],
)
