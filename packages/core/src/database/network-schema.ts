import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  cidr,
  foreignKey,
  index,
  inet,
  integer,
  jsonb,
  macaddr,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { contractor, identity, stamps, type Values } from './columns.ts'
import { foundation, pxe, site, structure } from './schema.ts'

export const interfaceKind = contractor.enum('interface_kind', ['real', 'abstract', 'aggregated'])
export const addressKind = contractor.enum('address_kind', ['static', 'reserved', 'dynamic'])

/** A subnet of a Site. That two of one Site never overlap is an exclusion constraint, which the migration adds. */
export const addressBlock = contractor.table(
  'address_block',
  {
    name: text('name').primaryKey(),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade' }),
    description: text('description').notNull().default(''),
    subnet: cidr('subnet').notNull(),
    gateway: inet('gateway'),
    /** None below it is free: where the search for the lowest begins. A trigger lowers it when an address is deleted. */
    nextFree: inet('next_free'),
    ...stamps(),
  },
  table => [
    index('address_block_site').on(table.site),
    check('address_block_gateway', sql`family(${table.gateway}) = family(${table.subnet})`),
  ],
)

/** A wire that has a name: what interfaces are connected to. */
export const network = contractor.table(
  'network',
  {
    name: text('name').primaryKey(),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade' }),
    description: text('description').notNull().default(''),
    mtu: integer('mtu').notNull().default(1500),
    ...stamps(),
  },
  table => [index('network_site').on(table.site)],
)

/** Which AddressBlocks a Network carries, and on which VLAN. */
export const networkAddressBlock = contractor.table(
  'network_address_block',
  {
    network: text('network')
      .notNull()
      .references(() => network.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    addressBlock: text('address_block')
      .notNull()
      .references(() => addressBlock.name, { onUpdate: 'cascade' }),
    /** 1 to 4094; absent on a Network without VLANs. */
    vlan: integer('vlan'),
    tagged: boolean('tagged').notNull().default(false),
  },
  table => [
    primaryKey({ columns: [table.network, table.addressBlock] }),
    index('network_address_block_block').on(table.addressBlock),
    check('network_address_block_vlan', sql`${table.vlan} between 1 and 4094`),
  ],
)

/** A port. A real one belongs to a Foundation; abstract and aggregated ones to the Structure that makes them. */
export const networkInterface = contractor.table(
  'network_interface',
  {
    id: identity(),
    kind: interfaceKind('kind').notNull(),
    /** As the operating system names it. */
    name: text('name').notNull(),
    foundation: text('foundation').references(() => foundation.locator, { onUpdate: 'cascade', onDelete: 'cascade' }),
    structure: bigint('structure', { mode: 'number' }).references(() => structure.id, { onDelete: 'cascade' }),
    network: text('network').references(() => network.name, { onUpdate: 'cascade' }),
    mac: macaddr('mac'),
    /** Of a real one: as the BluePrint names the port. */
    physicalLocation: text('physical_location'),
    /** Of a real one: the switch and the port of it that LLDP reports there. */
    neighbour: text('neighbour'),
    /** The one interface of a Foundation from which it boots and is installed. */
    provisioning: boolean('provisioning').notNull().default(false),
    /** What a machine that boots from it is given, as its Job has set it. */
    pxe: text('pxe').references(() => pxe.name, { onUpdate: 'cascade' }),
    /** Of an aggregated one: how it is bonded. */
    parameters: jsonb('parameters').$type<Values>().notNull().default({}),
    ...stamps(),
  },
  table => [
    check(
      'network_interface_owner',
      sql`case when ${table.kind} = 'real' then ${table.foundation} is not null and ${table.structure} is null
        else ${table.foundation} is null and ${table.structure} is not null end`,
    ),
    unique('network_interface_of_foundation').on(table.foundation, table.name),
    unique('network_interface_of_structure').on(table.structure, table.name),
    unique('network_interface_mac').on(table.mac),
    uniqueIndex('network_interface_provisioning').on(table.foundation).where(sql`${table.provisioning}`),
    index('network_interface_network').on(table.network),
    index('network_interface_neighbour').on(sql`lower(${table.neighbour})`),
    index('network_interface_pxe').on(table.pxe),
  ],
)

/** Which interfaces an aggregated one is made of; an interface belongs to one at the most. */
export const interfaceMember = contractor.table(
  'interface_member',
  {
    aggregate: bigint('aggregate', { mode: 'number' })
      .notNull()
      .references(() => networkInterface.id, { onDelete: 'cascade' }),
    member: bigint('member', { mode: 'number' })
      .notNull()
      .unique('interface_member_member')
      .references(() => networkInterface.id),
    position: integer('position').notNull(),
  },
  table => [primaryKey({ columns: [table.aggregate, table.member] })],
)

/** An address of an AddressBlock: a Structure's, or one that is set aside. */
export const address = contractor.table(
  'address',
  {
    id: identity(),
    addressBlock: text('address_block')
      .notNull()
      .references(() => addressBlock.name, { onUpdate: 'cascade' }),
    ip: inet('ip').notNull(),
    kind: addressKind('kind').notNull(),
    structure: bigint('structure', { mode: 'number' }).references(() => structure.id, { onDelete: 'cascade' }),
    /** The name of the interface that has it: one of the Structure, or of its Foundation. */
    interface: text('interface'),
    /** Counts further addresses of an interface that want a name of their own, as `eth0:1`. */
    alias: integer('alias'),
    /** The address that this one leads to, instead of an interface. */
    pointer: bigint('pointer', { mode: 'number' }),
    /** By which a Structure is known: the address of its name. */
    primary: boolean('primary').notNull().default(false),
    /** Of a dynamic one: what a machine that gets it boots. */
    pxe: text('pxe').references(() => pxe.name, { onUpdate: 'cascade' }),
    /** Of one that is set aside: for what. */
    reason: text('reason').notNull().default(''),
    ...stamps(),
  },
  table => [
    foreignKey({
      name: 'address_pointer_address',
      columns: [table.pointer],
      foreignColumns: [table.id as AnyPgColumn],
    }),
    unique('address_ip').on(table.addressBlock, table.ip),
    check('address_host', sql`masklen(${table.ip}) = case family(${table.ip}) when 4 then 32 else 128 end`),
    check('address_owner', sql`(${table.kind} = 'static') = (${table.structure} is not null)`),
    check(
      'address_interface',
      sql`${table.kind} <> 'static' or num_nonnulls(${table.interface}, ${table.pointer}) = 1`,
    ),
    check('address_primary', sql`${table.kind} = 'static' or not ${table.primary}`),
    uniqueIndex('address_primary_of').on(table.structure).where(sql`${table.primary}`),
    index('address_structure').on(table.structure),
    index('address_pointer').on(table.pointer),
    index('address_by_ip').on(table.ip),
  ],
)
