import type { State } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, real, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { Call } from '../foreman/call.ts'
import type { Undoing } from '../foreman/undo.ts'
import type { Json } from '../plugin/json.ts'
import { contractor, createdAt, identity, moment, updatedAt, type Values, xid8 } from './columns.ts'
import { dependency, foundation, program, site, structure } from './schema.ts'

export const jobState = contractor.enum('job_state', ['waiting', 'queued', 'paused', 'error', 'aborted', 'done'])
export const jobOutcome = contractor.enum('job_outcome', ['completed', 'cancelled', 'undone'])

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
