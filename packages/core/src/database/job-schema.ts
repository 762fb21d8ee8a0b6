import type { Json, WireError } from '@contractor/contract'
import type { State } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  real,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { bytes, contractor, createdAt, identity, moment, stamps, type Values } from './columns.ts'
import { dependency, foundation, program, site, structure } from './schema.ts'
import type { Call, Undoing } from './stored-call.ts'

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
    /** Why it stands still: of a Job that waits, is paused, in error or aborted, whatever its message has become since. */
    reason: text('reason'),
    /** Percent, 0 to 100. */
    progress: real('progress').notNull().default(0),
    /** When the Foreman looks at it next; nothing to do until something arrives when absent. */
    wakeAt: moment('wake_at'),
    /** How large `vm` is as text, in bytes: so many Jobs are read at once as memory has room for. */
    vmBytes: integer('vm_bytes').notNull().default(0),
    /** Where the undoing of a Job's steps stands, while that goes on. */
    undoing: jsonb('undoing').$type<Undoing>(),
    /** What the machine that is being built shows to report back. */
    cookie: uuid('cookie').notNull().defaultRandom(),
    /** A report for the next wait of the script, which it has not gone on from yet. */
    signalledAt: moment('signalled_at'),
    /** How many of the script's waits were answered by a report. */
    waitsAnswered: integer('waits_answered').notNull().default(0),
    /** Which reports were heard, each under what it is known by again, and the number of the wait that it is for. */
    signals: jsonb('signals').$type<Record<string, number>>().notNull().default({}),
    createdBy: text('created_by').notNull(),
    ...stamps(),
    finishedAt: moment('finished_at'),
  },
  table => [
    check('job_target', sql`num_nonnulls(${table.foundation}, ${table.structure}, ${table.dependency}) = 1`),
    check('job_outcome', sql`(${table.state} = 'done') = (${table.outcome} is not null)`),
    uniqueIndex('job_live_foundation').on(table.foundation).where(sql`${table.outcome} is null`),
    uniqueIndex('job_live_structure').on(table.structure).where(sql`${table.outcome} is null`),
    uniqueIndex('job_live_dependency').on(table.dependency).where(sql`${table.outcome} is null`),
    index('job_due').on(table.wakeAt).where(sql`${table.wakeAt} is not null`),
    // Whatever its state: a target that is deleted takes its Jobs along.
    index('job_foundation').on(table.foundation).where(sql`${table.foundation} is not null`),
    index('job_structure').on(table.structure).where(sql`${table.structure} is not null`),
    index('job_dependency').on(table.dependency).where(sql`${table.dependency} is not null`),
    index('job_finished').on(table.finishedAt).where(sql`${table.finishedAt} is not null`),
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
    /** Which attempt at the request it is, from 1. */
    attempt: integer('attempt').notNull().default(1),
    /** The request of the call that it carries out: its answer is that one's, and nobody else's. */
    request: text('request').notNull().default(''),
    /** The present claim; absent while the Task waits for an agent. */
    claimToken: uuid('claim_token'),
    /** The agent's request in answer to which it was handed out. */
    claimRequest: text('claim_request'),
    /** Nobody waits for its answer any more; it is here until its agent has let go of it, and nothing is asked before. */
    revokedAt: moment('revoked_at'),
    agent: text('agent'),
    leaseUntil: moment('lease_until'),
    /** How long it may take once it is claimed. */
    timeoutMs: integer('timeout_ms').notNull().default(600_000),
    /** No renewal extends the present claim beyond this. */
    deadline: moment('deadline'),
    /** Where the Job's progress stands before it and after it, in percent: what it tells of itself lies between. */
    progressFrom: real('progress_from').notNull().default(0),
    progressTo: real('progress_to').notNull().default(0),
    /** What it must not share with other Tasks at the same time: with how many, and with what pause. */
    limitKey: text('limit_key'),
    limitAtOnce: integer('limit_at_once'),
    limitSpacingMs: integer('limit_spacing_ms'),
    /** Whether an agent may have it: what has a limit waits for its turn (see take-turns.ts). */
    hasTurn: boolean('has_turn').notNull().default(true),
    createdAt: createdAt(),
  },
  table => [
    unique('task_job').on(table.job),
    index('task_waiting')
      .on(table.module, table.site, table.id)
      .where(sql`${table.claimToken} is null and ${table.hasTurn}`),
    index('task_limit').on(table.limitKey, table.id).where(sql`${table.limitKey} is not null`),
    index('task_lease').on(table.leaseUntil).where(sql`${table.leaseUntil} is not null`),
  ],
)

/**
 * A Task outside of a Job: somebody wants to know something, and waits for the answer. It changes nothing in the world, so it
 * may be asked again. Its ids are Tasks' ids: to agents it is one.
 */
export const inquiry = contractor.table(
  'inquiry',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().default(sql`nextval('contractor.task_id_seq')`),
    site: text('site').notNull(),
    module: text('module').notNull(),
    function: text('function').notNull(),
    params: jsonb('params').$type<Json>().notNull(),
    timeoutMs: integer('timeout_ms').notNull(),
    attempt: integer('attempt').notNull().default(1),
    claimToken: uuid('claim_token'),
    agent: text('agent'),
    leaseUntil: moment('lease_until'),
    /** Nobody waits for it any more after this. */
    expiresAt: moment('expires_at').notNull(),
    /** The answer: a `result` or an `error`. */
    answer: jsonb('answer').$type<{ result: Json } | { error: WireError }>(),
  },
  table => [
    index('inquiry_open').on(table.module, table.site, table.id).where(sql`${table.answer} is null`),
    index('inquiry_expires').on(table.expiresAt),
  ],
)

/**
 * What an agent has said of its claim while somebody else had the Task's row or its Job's in hand: that it still works, or
 * its answer. Rows of their own, for which nobody has to wait, and without references, which would wait too; they are
 * looked at again until they can be acted upon.
 */
export const claimWord = contractor.table(
  'claim_word',
  {
    task: bigint('task', { mode: 'number' }).notNull(),
    claimToken: uuid('claim_token').notNull(),
    job: bigint('job', { mode: 'number' }).notNull(),
    /** Of a renewal: until when the claim holds. */
    leaseUntil: moment('lease_until'),
    /** Of an answer: what arrives at the Job. */
    arrival: jsonb('arrival').$type<Json>(),
    /** When an answer is tried again, and when a renewal is worth nothing any more. */
    lookAt: moment('look_at').notNull(),
  },
  table => [primaryKey({ columns: [table.task, table.claimToken] }), index('claim_word_look_at').on(table.lookAt)],
)

/**
 * That a limit is to be looked at: a Task with its key has come, or one has ended and the pause after it is over. Before
 * the last of these moments nobody gets a turn. Rows of their own, which nobody has to wait for.
 */
export const limitWord = contractor.table(
  'limit_word',
  {
    id: identity(),
    key: text('key').notNull(),
    lookAt: moment('look_at').notNull(),
  },
  table => [index('limit_word_look_at').on(table.lookAt), index('limit_word_key').on(table.key, table.lookAt)],
)

/** Large outputs of Tasks. Without a reference to the Job, so that they can be read when that is gone. */
export const attachment = contractor.table(
  'attachment',
  {
    id: identity(),
    /** As its agent names it while it sends it. */
    upload: uuid('upload').notNull().unique(),
    job: bigint('job', { mode: 'number' }).notNull(),
    task: bigint('task', { mode: 'number' }).notNull(),
    name: text('name').notNull(),
    contentType: text('content_type').notNull(),
    /** These two, once it is whole. */
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    sha256: text('sha256'),
    createdAt: createdAt(),
  },
  table => [
    index('attachment_job').on(table.job, table.id),
    index('attachment_task').on(table.task),
    index('attachment_created').on(table.createdAt),
  ],
)

export const attachmentPiece = contractor.table(
  'attachment_piece',
  {
    attachment: bigint('attachment', { mode: 'number' })
      .notNull()
      .references(() => attachment.id, { onDelete: 'cascade' }),
    place: integer('place').notNull(),
    data: bytes('data').notNull(),
  },
  table => [primaryKey({ columns: [table.attachment, table.place] })],
)

/** What handlers have logged: of a Task that is out, and of those that are steps of a Job's history. */
export const taskLine = contractor.table(
  'task_line',
  {
    job: bigint('job', { mode: 'number' }).notNull(),
    task: bigint('task', { mode: 'number' }).notNull(),
    place: integer('place').notNull(),
    /** By the agent's clock. */
    at: moment('at').notNull(),
    text: text('text').notNull(),
  },
  table => [primaryKey({ columns: [table.task, table.place] }), index('task_line_at').using('brin', table.at)],
)

/**
 * That something has happened to a target for which Jobs around it may wait: written with the change, by whatever kind
 * of transaction, and read by the Foreman once that is committed. So no change is missed by a Job that the transaction
 * could not see, and nobody who changes something waits for somebody else's Job.
 */
export const wake = contractor.table(
  'wake',
  {
    id: identity(),
    foundation: text('foundation'),
    structure: bigint('structure', { mode: 'number' }),
    dependency: bigint('dependency', { mode: 'number' }),
    lookAt: moment('look_at').notNull(),
  },
  table => [index('wake_look_at').on(table.lookAt)],
)

/** Processes in which an engine is open, or was: by these it is known when nobody could have heard an agent. */
export const engineProcess = contractor.table('engine_process', {
  id: uuid('id').primaryKey(),
  /** When it last said that it is there, by the engine's clock. */
  seenAt: moment('seen_at').notNull(),
  /** The same by the server's own clock, which no test turns. */
  beatAt: moment('beat_at').notNull(),
  endedAt: moment('ended_at'),
})

/** Places in the order of events. */
export const eventPlaces = contractor.sequence('event_place_seq')

/**
 * What happened. Transactions commit in another order than they write, so an event gets its place once it can be seen, by
 * whoever looks first (see place-events.ts): a reader with a cursor misses nothing, and waits for nobody.
 */
export const event = contractor.table(
  'event',
  {
    id: identity(),
    /** Its place in the order of all events. */
    place: bigint('place', { mode: 'number' }),
    at: moment('at').notNull(),
    type: text('type').notNull(),
    /** Who caused it: a token's name, `foreman`, or what an embedding program said. */
    by: text('by').notNull(),
    /** What it happened to, where that is none of the four below: its key; the kind is in the type. */
    subject: text('subject'),
    /** That one's version afterwards, where it is known. */
    version: integer('version'),
    job: bigint('job', { mode: 'number' }),
    foundation: text('foundation'),
    structure: bigint('structure', { mode: 'number' }),
    dependency: bigint('dependency', { mode: 'number' }),
    data: jsonb('data').$type<Values>().notNull().default({}),
  },
  table => [
    uniqueIndex('event_place').on(table.place).where(sql`${table.place} is not null`),
    index('event_unplaced').on(table.id).where(sql`${table.place} is null`),
    index('event_job').on(table.job, table.id),
    index('event_at').using('brin', table.at),
  ],
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
    /** Of an answer: the Task that was answered. */
    task: bigint('task', { mode: 'number' }),
    /** Of a call that could be undone: where it stood when it was done. */
    call: jsonb('call').$type<Call>(),
    startedAt: moment('started_at').notNull(),
    endedAt: moment('ended_at').notNull(),
    undoneAt: moment('undone_at'),
    /** An operator left it as it is while the Job was being undone. */
    skippedAt: moment('skipped_at'),
  },
  table => [
    index('step_job').on(table.job, table.id),
    index('step_ended').on(table.endedAt),
    index('step_undoable')
      .on(table.job, table.id)
      .where(sql`${table.call} is not null and ${table.undoneAt} is null and ${table.skippedAt} is null`),
  ],
)

/** What agents run all the time: for each Site that has it configured, and by one agent at a time. */
export const service = contractor.table(
  'service',
  {
    id: identity(),
    name: text('name').notNull(),
    site: text('site')
      .notNull()
      .references(() => site.name, { onUpdate: 'cascade', onDelete: 'cascade' }),
    config: jsonb('config').$type<Values>().notNull(),
    agent: text('agent'),
    claimToken: uuid('claim_token'),
    leaseUntil: moment('lease_until'),
    /** What its agent says of it when it does not run as it should. */
    trouble: text('trouble').notNull().default(''),
    /** The version counts its configurations alone: whoever runs it starts it anew with each. */
    ...stamps(),
  },
  table => [unique('service_name_site').on(table.name, table.site), index('service_site').on(table.site)],
)

/** Agents that have asked for work: what explains why nobody comes for a Task. */
export const agent = contractor.table('agent', {
  name: text('name').primaryKey(),
  sites: text('sites').array().notNull(),
  modules: text('modules').array().notNull(),
  seenAt: moment('seen_at').notNull(),
})
