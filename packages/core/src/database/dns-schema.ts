import { type AnyPgColumn, bigint, index, integer, jsonb, text, unique } from 'drizzle-orm/pg-core'
import { contractor, identity, stamps, updatedAt, type Values } from './columns.ts'

export const zoneEntryType = contractor.enum('zone_entry_type', ['A', 'AAAA', 'CNAME', 'MX', 'SRV', 'TXT', 'CAA', 'NS'])

/** A DNS zone, by its fully qualified name without the last dot. Times are in seconds (RFC 1035, RFC 2308). */
export const zone = contractor.table(
  'zone',
  {
    name: text('name').primaryKey(),
    /** The zone that delegates to it. */
    parent: text('parent').references((): AnyPgColumn => zone.name, { onUpdate: 'cascade' }),
    /** Of who is responsible for it. */
    email: text('email').notNull(),
    /** Fully qualified names, the primary one first. */
    nameservers: text('nameservers').array().notNull(),
    ttl: integer('ttl').notNull(),
    refresh: integer('refresh').notNull(),
    retry: integer('retry').notNull(),
    expire: integer('expire').notNull(),
    minimum: integer('minimum').notNull(),
    ...stamps(),
  },
  table => [index('zone_parent').on(table.parent)],
)

/** A record that is no Structure's address. */
export const zoneEntry = contractor.table(
  'zone_entry',
  {
    id: identity(),
    zone: text('zone')
      .notNull()
      .references(() => zone.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    /** Relative to the zone; `@` is the zone itself. */
    name: text('name').notNull(),
    type: zoneEntryType('type').notNull(),
    /** What its type needs: an address, a target, a priority. */
    data: jsonb('data').$type<Values>().notNull(),
    ttl: integer('ttl'),
    ...stamps(),
  },
  table => [unique('zone_entry_same').on(table.zone, table.name, table.type, table.data)],
)

/** What was last published of a zone, reverse zones included: its serial rises when the digest changes. */
export const zoneSerial = contractor.table('zone_serial', {
  zone: text('zone').primaryKey(),
  serial: bigint('serial', { mode: 'number' }).notNull(),
  digest: text('digest').notNull(),
  updatedAt: updatedAt(),
})
