import type { Program, State } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  real,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { Call } from '../foreman/call.ts'
import type { Undoing } from '../foreman/undo.ts'
import type { Json } from '../plugin/json.ts'
import { createdAt, identity, moment, updatedAt, type Values, xid8 } from './columns.ts'

/** Everything lives in a schema of its own, so that a host application keeps its tables in the same database. */
export const contractor = pgSchema('contractor')

export const blueprintKind = contractor.enum('blueprint_kind', ['structure', 'foundation'])
export const foundationState = contractor.enum('foundation_state', ['planned', 'located', 'built'])
export const structureState = contractor.enum('structure_state', ['planned', 'built'])
export const jobState = contractor.enum('job_state', ['waiting', 'queued', 'paused', 'error', 'aborted', 'done'])
export const jobOutcome = contractor.enum('job_outcome', ['completed', 'cancelled', 'undone'])
export const dependencyLink = contractor.enum('dependency_link', ['soft', 'hard'])
export const tokenKind = contractor.enum('token_kind', ['admin', 'agent'])

export const site = contractor.table(
  'site',
  {
    name: text('name').primaryKey(),
    parent: text('parent').references((): AnyPgColumn => site.name, { onUpdate: 'cascade' }),
    description: text('description').notNull().default(''),
    configValues: jsonb('config_values').$type<Values>().notNull().default({}),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  table => [index('site_parent').on(table.parent)],
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
  createdAt: createdAt(),
  updatedAt: updatedAt(),
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
  createdAt: createdAt(),
  updatedAt: updatedAt(),
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
  },
  table => [primaryKey({ columns: [table.blueprint, table.foundationBlueprint] })],
)

/** What a network-booting machine is given. */
export const pxe = contractor.table('pxe', {
  name: text('name').primaryKey(),
  bootScript: text('boot_script').notNull(),
  template: text('template').notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
})

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
    locatedAt: moment('located_at'),
    builtAt: moment('built_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  table => [
    index('foundation_site').on(table.site),
    index('foundation_blueprint').on(table.blueprint),
    index('foundation_complex').on(table.complex),
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
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  table => [
    unique('structure_hostname').on(table.site, table.hostname),
    unique('structure_foundation').on(table.foundation),
    unique('structure_config_uuid').on(table.configUuid),
    index('structure_blueprint').on(table.blueprint),
  ],
)

/** Structures that together provide Foundations. Built when enough of its members are: derived, never stored. */
export const complex = contractor.table('complex', {
  name: text('name').primaryKey(),
  site: text('site')
    .notNull()
    .references(() => site.name, { onUpdate: 'cascade' }),
  description: text('description').notNull().default(''),
  builtPercentage: integer('built_percentage').notNull().default(90),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
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
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  table => [
    check('dependency_on', sql`num_nonnulls(${table.structure}, ${table.dependency}) = 1`),
    index('dependency_foundation').on(table.foundation),
    index('dependency_structure').on(table.structure),
    index('dependency_dependency').on(table.dependency),
    index('dependency_script_structure').on(table.scriptStructure),
  ],
)

/**
 * One run of a script for one target. Exactly one of the three targets is set. A Job is live while it has no outcome, and
 * a target has one live Job at the most: the three partial unique indexes are that law.
 */
export const job = contractor.table(
  'job',
  {
    id: identity(),
    foundation: text('foundation').references(() => foundation.locator, { onUpdate: 'cascade', onDelete: 'cascade' }),
    structure: bigint('structure', { mode: 'number' }).references(() => structure.id, { onDelete: 'cascade' }),
    dependency: bigint('dependency', { mode: 'number' }).references(() => dependency.id, { onDelete: 'cascade' }),
    /** What the BluePrint calls the script: create, destroy, or a utility name. */
    action: text('action').notNull(),
    programId: text('program_id')
      .notNull()
      .references(() => program.id),
    state: jobState('state').notNull().default('waiting'),
    outcome: jobOutcome('outcome'),
    /** The script's whole state; absent until the Job starts and after it is over. */
    vm: jsonb('vm').$type<State>(),
    message: text('message').notNull().default(''),
    /** Percent, 0 to 100. */
    progress: real('progress').notNull().default(0),
    /** When the Foreman looks at it next; nothing to do until something arrives when absent. */
    wakeAt: moment('wake_at'),
    /**
     * Of a waiting Job: the first transaction that had not begun when it found that it has to wait. Once all older ones
     * have ended, nothing that it did not see can change that any more without waking it.
     */
    waitsSince: xid8('waits_since'),
    /** What is left of the undoing of a Job's steps, while that goes on. */
    undoing: jsonb('undoing').$type<Undoing>(),
    /** What the machine that is being built shows to report back. */
    cookie: uuid('cookie').notNull().defaultRandom(),
    /** A report that the script has not waited for yet. */
    signalledAt: moment('signalled_at'),
    createdBy: text('created_by').notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    finishedAt: moment('finished_at'),
  },
  table => [
    check('job_target', sql`num_nonnulls(${table.foundation}, ${table.structure}, ${table.dependency}) = 1`),
    check('job_outcome', sql`(${table.state} = 'done') = (${table.outcome} is not null)`),
    uniqueIndex('job_live_foundation').on(table.foundation).where(sql`${table.outcome} is null`),
    uniqueIndex('job_live_structure').on(table.structure).where(sql`${table.outcome} is null`),
    uniqueIndex('job_live_dependency').on(table.dependency).where(sql`${table.outcome} is null`),
    index('job_due').on(table.wakeAt).where(sql`${table.wakeAt} is not null`),
  ],
)

/** What an agent is to do now for a Job: one at the most for each Job. It is gone once it is answered. */
export const task = contractor.table(
  'task',
  {
    id: identity(),
    job: bigint('job', { mode: 'number' })
      .notNull()
      .references(() => job.id, { onDelete: 'cascade' }),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade' }),
    module: text('module').notNull(),
    function: text('function').notNull(),
    params: jsonb('params').$type<Json>().notNull(),
    /** Which request of its call it is, from 1. */
    attempt: integer('attempt').notNull().default(1),
    /** The present claim; absent while the Task waits for an agent. */
    claimToken: uuid('claim_token'),
    agent: text('agent'),
    leaseUntil: moment('lease_until'),
    createdAt: createdAt(),
  },
  table => [
    unique('task_job').on(table.job),
    index('task_waiting').on(table.module, table.site, table.id).where(sql`${table.claimToken} is null`),
    index('task_lease').on(table.leaseUntil).where(sql`${table.leaseUntil} is not null`),
  ],
)

/**
 * What happened. Read in the order of (txid, id), and only what is settled (see settled.ts): so a reader
 * with a cursor misses nothing, though transactions commit in another order than they began.
 */
export const event = contractor.table(
  'event',
  {
    id: identity(),
    txid: xid8('txid').notNull().default(sql`pg_current_xact_id()`),
    at: moment('at').notNull(),
    type: text('type').notNull(),
    /** Who caused it: a token's name, `foreman`, or what an embedding program said. */
    by: text('by').notNull(),
    job: bigint('job', { mode: 'number' }),
    foundation: text('foundation'),
    structure: bigint('structure', { mode: 'number' }),
    dependency: bigint('dependency', { mode: 'number' }),
    data: jsonb('data').$type<Values>().notNull().default({}),
  },
  table => [index('event_order').on(table.txid, table.id), index('event_job').on(table.job, table.id)],
)

/**
 * What a Job has done: a row for each answer of an agent, and one for each call that could be undone. Without a
 * reference to the Job, so that it can be read when that is gone.
 */
export const step = contractor.table(
  'step',
  {
    id: identity(),
    job: bigint('job', { mode: 'number' }).notNull(),
    module: text('module').notNull(),
    function: text('function').notNull(),
    /** How it ended: the agent's `result` or `failed`, `lost`, or `done` for a call. */
    end: text('end').notNull(),
    /** What was asked of an agent, and what it answered. */
    request: jsonb('request').$type<Json>(),
    reply: jsonb('reply').$type<Json>(),
    agent: text('agent'),
    attempt: integer('attempt').notNull().default(1),
    /** Of a call that could be undone: where it stood when it was done. */
    call: jsonb('call').$type<Call>(),
    startedAt: moment('started_at').notNull(),
    endedAt: moment('ended_at').notNull(),
    undoneAt: moment('undone_at'),
  },
  table => [index('step_job').on(table.job, table.id), index('step_ended').on(table.endedAt)],
)

/** Agents that have asked for work: what explains why nobody comes for a Task. */
export const agent = contractor.table('agent', {
  name: text('name').primaryKey(),
  sites: text('sites').array().notNull(),
  modules: text('modules').array().notNull(),
  seenAt: moment('seen_at').notNull(),
})

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
