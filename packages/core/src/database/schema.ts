import type { Json } from '@contractor/contract'
import type { Program } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  macaddr,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { contractor, createdAt, identity, moment, stamps, type Values } from './columns.ts'
import { zone } from './dns-schema.ts'

export const blueprintKind = contractor.enum('blueprint_kind', ['structure', 'foundation'])
export const foundationState = contractor.enum('foundation_state', ['planned', 'located', 'built'])
export const structureState = contractor.enum('structure_state', ['planned', 'built'])
export const dependencyLink = contractor.enum('dependency_link', ['soft', 'hard'])
export const tokenKind = contractor.enum('token_kind', ['admin', 'agent'])

export const site = contractor.table(
  'site',
  {
    name: text('name').primaryKey(),
    parent: text('parent').references((): AnyPgColumn => site.name, { onUpdate: 'cascade' }),
    /** The DNS Zone in which its Structures have their names; that of the Site above unless it has one. */
    zone: text('zone').references(() => zone.name, { onUpdate: 'cascade' }),
    description: text('description').notNull().default(''),
    configValues: jsonb('config_values').$type<Values>().notNull().default({}),
    ...stamps(),
  },
  table => [index('site_parent').on(table.parent), index('site_zone').on(table.zone)],
)

/** Compiled programs, by the hash of their source: stored once, and kept for the Jobs that started with them. */
export const program = contractor.table('program', {
  id: text('id').primaryKey(),
  source: text('source').notNull(),
  compiled: jsonb('compiled').$type<Program>().notNull(),
})

export const script = contractor.table('script', {
  name: text('name').primaryKey(),
  description: text('description').notNull().default(''),
  programId: text('program_id')
    .notNull()
    .references(() => program.id),
  ...stamps(),
})

export const blueprint = contractor.table('blueprint', {
  name: text('name').primaryKey(),
  kind: blueprintKind('kind').notNull(),
  description: text('description').notNull().default(''),
  configValues: jsonb('config_values').$type<Values>().notNull().default({}),
  /** Of a FoundationBluePrint: the Foundation types that it may be used for. */
  foundationTypes: text('foundation_types').array().notNull().default(sql`'{}'`),
  /** Of a FoundationBluePrint: what hardware must show before it is located. */
  template: jsonb('template').$type<Json>(),
  physicalInterfaceNames: text('physical_interface_names').array().notNull().default(sql`'{}'`),
  ...stamps(),
})

export const blueprintParent = contractor.table(
  'blueprint_parent',
  {
    blueprint: text('blueprint')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    parent: text('parent')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade' }),
    position: integer('position').notNull(),
  },
  table => [
    primaryKey({ columns: [table.blueprint, table.parent] }),
    index('blueprint_parent_parent').on(table.parent),
  ],
)

export const blueprintScript = contractor.table(
  'blueprint_script',
  {
    blueprint: text('blueprint')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    /** What the BluePrint calls it: create, destroy, or a utility name. */
    name: text('name').notNull(),
    script: text('script')
      .notNull()
      .references(() => script.name, { onUpdate: 'cascade' }),
  },
  table => [primaryKey({ columns: [table.blueprint, table.name] }), index('blueprint_script_script').on(table.script)],
)

/**
 * Which FoundationBluePrints a StructureBluePrint may stand on; none means any. A name and not a reference: resource
 * files link to BluePrints of drivers that may be loaded later, or never.
 */
export const blueprintFoundation = contractor.table(
  'blueprint_foundation',
  {
    blueprint: text('blueprint')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    foundationBlueprint: text('foundation_blueprint').notNull(),
    /** Linked by `sflinks` of another file than the BluePrint's own: loading that one does not take the link away. */
    linked: boolean('linked').notNull().default(false),
  },
  table => [primaryKey({ columns: [table.blueprint, table.foundationBlueprint] })],
)

/** What a network-booting machine is given. */
export const pxe = contractor.table('pxe', {
  name: text('name').primaryKey(),
  bootScript: text('boot_script').notNull(),
  template: text('template').notNull(),
  ...stamps(),
})

/** A physical place: a building, a room, a rack, a position in it. */
export const plot = contractor.table(
  'plot',
  {
    name: text('name').primaryKey(),
    parent: text('parent').references((): AnyPgColumn => plot.name, { onUpdate: 'cascade' }),
    description: text('description').notNull().default(''),
    ...stamps(),
  },
  table => [index('plot_parent').on(table.parent)],
)

export const foundation = contractor.table(
  'foundation',
  {
    locator: text('locator').primaryKey(),
    type: text('type').notNull(),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade' }),
    blueprint: text('blueprint')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade' }),
    state: foundationState('state').notNull().default('planned'),
    /** The Complex that provides it, if one does. */
    complex: text('complex').references((): AnyPgColumn => complex.name, { onUpdate: 'cascade' }),
    /** The type's own columns, as its plugin's schema has them. */
    fields: jsonb('fields').$type<Values>().notNull().default({}),
    idMap: jsonb('id_map').$type<Json>(),
    /** Where it stands. */
    plot: text('plot').references(() => plot.name, { onUpdate: 'cascade' }),
    /** Serial numbers by which a machine that boots is known: of its baseboard, its chassis or its BMC. */
    serials: text('serials').array().notNull().default(sql`'{}'`),
    bmcMac: macaddr('bmc_mac'),
    locatedAt: moment('located_at'),
    builtAt: moment('built_at'),
    ...stamps(),
  },
  table => [
    index('foundation_site').on(table.site),
    index('foundation_blueprint').on(table.blueprint),
    index('foundation_complex').on(table.complex),
    index('foundation_plot').on(table.plot),
    index('foundation_serials').using('gin', sql`contractor.fold_all(${table.serials})`),
    index('foundation_bmc_mac').on(table.bmcMac),
  ],
)

export const structure = contractor.table(
  'structure',
  {
    id: identity(),
    hostname: text('hostname').notNull(),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade' }),
    blueprint: text('blueprint')
      .notNull()
      .references(() => blueprint.name, { onUpdate: 'cascade' }),
    foundation: text('foundation')
      .notNull()
      .references(() => foundation.locator, { onUpdate: 'cascade' }),
    state: structureState('state').notNull().default('planned'),
    configUuid: uuid('config_uuid').notNull().defaultRandom(),
    configValues: jsonb('config_values').$type<Values>().notNull().default({}),
    builtAt: moment('built_at'),
    ...stamps(),
  },
  table => [
    unique('structure_hostname').on(table.site, table.hostname),
    unique('structure_foundation').on(table.foundation),
    unique('structure_config_uuid').on(table.configUuid),
    index('structure_blueprint').on(table.blueprint),
    // A Zone spans Sites, and has each hostname once.
    index('structure_by_hostname').on(table.hostname),
  ],
)

/** Structures that together provide Foundations. Built when enough of its members are: derived, never stored. */
export const complex = contractor.table('complex', {
  name: text('name').primaryKey(),
  site: text('site')
    .notNull()
    .references(() => site.name, { onUpdate: 'cascade' }),
  description: text('description').notNull().default(''),
  /** What a plugin declares such Complexes to be; null for one that is a group and nothing more. */
  type: text('type'),
  /** The type's own columns, as its plugin's schema has them. */
  fields: jsonb('fields').$type<Values>().notNull().default({}),
  builtPercentage: integer('built_percentage').notNull().default(90),
  ...stamps(),
})

export const complexMember = contractor.table(
  'complex_member',
  {
    complex: text('complex')
      .notNull()
      .references(() => complex.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    structure: bigint('structure', { mode: 'number' })
      .notNull()
      .references(() => structure.id),
  },
  table => [
    primaryKey({ columns: [table.complex, table.structure] }),
    index('complex_member_structure').on(table.structure),
  ],
)

/** A Foundation waits for a Structure, or for another Dependency: exactly one of the two is set. */
export const dependency = contractor.table(
  'dependency',
  {
    id: identity(),
    foundation: text('foundation')
      .notNull()
      .references(() => foundation.locator, { onUpdate: 'cascade' }),
    structure: bigint('structure', { mode: 'number' }).references(() => structure.id),
    dependency: bigint('dependency', { mode: 'number' }).references((): AnyPgColumn => dependency.id),
    link: dependencyLink('link').notNull().default('soft'),
    /** Where its scripts run. */
    scriptStructure: bigint('script_structure', { mode: 'number' })
      .notNull()
      .references(() => structure.id),
    createScript: text('create_script').references(() => script.name, { onUpdate: 'cascade' }),
    destroyScript: text('destroy_script').references(() => script.name, { onUpdate: 'cascade' }),
    state: structureState('state').notNull().default('planned'),
    builtAt: moment('built_at'),
    ...stamps(),
  },
  table => [
    check('dependency_on', sql`num_nonnulls(${table.structure}, ${table.dependency}) = 1`),
    index('dependency_foundation').on(table.foundation),
    index('dependency_structure').on(table.structure),
    index('dependency_dependency').on(table.dependency),
    index('dependency_script_structure').on(table.scriptStructure),
  ],
)

export const note = contractor.table(
  'note',
  {
    id: identity(),
    title: text('title').notNull(),
    text: text('text').notNull(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    ...stamps(),
  },
  table => [index('note_about').on(table.kind, table.key)],
)

/** Bearer tokens. Only a hash is kept. */
export const token = contractor.table('token', {
  id: identity(),
  name: text('name').notNull().unique(),
  kind: tokenKind('kind').notNull(),
  hash: text('hash').notNull().unique(),
  /** Of an agent: the Sites, with all below them, and the modules that it may have work of. */
  sites: text('sites').array().notNull().default(sql`'{}'`),
  modules: text('modules').array().notNull().default(sql`'{}'`),
  createdAt: createdAt(),
})
