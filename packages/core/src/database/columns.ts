import type { Json } from '@contractor/contract'
import { bigint, customType, integer, pgSchema, timestamp } from 'drizzle-orm/pg-core'

/** Everything lives in a schema of its own, so that a host application keeps its tables in the same database. */
export const contractor = pgSchema('contractor')

/** Config values, fields, and other maps of plain JSON. */
export type Values = Record<string, Json>

/** Bytes; read and written by statements of their own, which have them as base64. */
export const bytes = customType<{ data: string }>({ dataType: () => 'bytea' })

/** Kinds of columns that several tables have. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
export const createdAt = () => moment('created_at').notNull()
export const updatedAt = () => moment('updated_at').notNull()
/**
 * Of what can be changed. The version is counted by the database itself, whoever writes the row (see the trigger
 * `version`); of Jobs, which change with every step, by those who write them.
 */
export const stamps = () => ({
  version: integer('version').notNull().default(1),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
})
export const identity = () => bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()
