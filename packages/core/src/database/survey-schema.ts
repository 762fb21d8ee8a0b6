import type { Json } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { check, index, inet, jsonb, text, unique } from 'drizzle-orm/pg-core'
import { contractor, moment, stamps, type Values } from './columns.ts'
import { foundation } from './schema.ts'

export const cartographerState = contractor.enum('cartographer_state', ['unmatched', 'aside', 'matched'])

/** A machine that has booted and reported itself. */
export const cartographer = contractor.table(
  'cartographer',
  {
    /** Of the record: what the machine calls itself, with one of its marks where another machine does so too. */
    identifier: text('identifier').primaryKey(),
    /** What the machine calls itself; absent where that is the identifier and was written before it was kept. */
    called: text('called'),
    state: cartographerState('state').notNull().default('unmatched'),
    message: text('message').notNull().default(''),
    /** What it reported of itself. */
    hardware: jsonb('hardware').$type<Json>(),
    /** What was left out of that, and why. */
    omitted: jsonb('omitted').$type<Values[]>().notNull().default([]),
    /** What its makers gave to it alone, each with its kind before it. */
    marks: text('marks').array().notNull().default(sql`'{}'`),
    /** The Foundations that it may be, by what, and with which score. */
    evidence: jsonb('evidence').$type<Values[]>().notNull().default([]),
    foundation: text('foundation').references(() => foundation.locator, { onUpdate: 'cascade' }),
    /** From where it was last heard. */
    address: inet('address'),
    matchedAt: moment('matched_at'),
    ...stamps(),
  },
  table => [
    unique('cartographer_foundation').on(table.foundation),
    index('cartographer_called').on(table.called),
    index('cartographer_marks').using('gin', table.marks),
    check('cartographer_matched', sql`(${table.state} = 'matched') = (${table.foundation} is not null)`),
  ],
)
