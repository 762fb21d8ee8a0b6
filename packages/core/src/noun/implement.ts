import { type Json, type Noun, type Page, parseInput } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { z } from 'zod'
import type { Values } from '../database/columns.ts'
import type { Db } from '../database/database.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import type { NewEvent } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { defineFilterable } from '../filter/filterable.ts'
import { type Kept, lockRow, readRow } from './change-row.ts'
import { listRows, matching, toPage } from './list-rows.ts'
import { isMap, mergePatch } from './merge-patch.ts'
import { alreadyExists, inUse } from './refuse.ts'

/** A noun whose objects are made, read, listed, changed and deleted as those of any other. */
type CrudNoun = Noun & {
  subject: string
  key: { name: string }
  methods: {
    create: { body: z.ZodType }
    get: { output: z.ZodObject }
    list: { query: z.ZodObject }
    update: { body: z.ZodType }
  }
}
type Input<N extends CrudNoun> = z.output<N['methods']['create']['body']>
type Changes<N extends CrudNoun> = z.output<N['methods']['update']['body']>

/** What a change is about to write. */
export interface Change<N extends CrudNoun, Row> {
  /** What was given; of a change, only that. */
  readonly given: N extends CrudNoun ? Partial<Input<N>> & Changes<N> : never
  /** As it is; undefined while it is made. */
  readonly before: Row | undefined
  /** The input of its creation, or the row with what was given laid over it. */
  readonly next: Input<N>
  readonly options: CallOptions
}

/** What a noun has of its own beside the usual. */
export interface Own<N extends CrudNoun, T extends PgTable, View> {
  readonly noun: N
  readonly kept: Kept<T>
  /** How many rows are shown: with what is kept elsewhere. */
  views(db: Db, rows: readonly T['$inferSelect'][]): View[] | Promise<View[]>
  /** Locks that come before the row's own. */
  lock?(tx: Db, change: { id: string | number; given: Partial<Input<N>> & Changes<N> }): Promise<void>
  /** What must hold before a row is written. */
  check?(tx: Db, change: Change<N, T['$inferSelect']>): Promise<void>
  /** Columns that are not as they were given. */
  columns?(tx: Db, change: Change<N, T['$inferSelect']>): Promise<Record<string, unknown>>
  /** What follows from a row that was written. */
  after?(tx: Db, row: T['$inferSelect'], change: Change<N, T['$inferSelect']>): Promise<void>
  /** Who needs it: then it is not deleted. */
  users?(tx: Db, row: T['$inferSelect']): Promise<string[]>
  /** What one and several of them do with it: `['needs it', 'need it']`. */
  readonly use?: readonly [string, string]
  /** What events tell besides the name. */
  told?(row: T['$inferSelect'], before?: T['$inferSelect']): Record<string, Json>
}

/** The five functions of a collection. */
export interface Crud<N extends CrudNoun, View, Key extends string | number> {
  create(input: z.input<N['methods']['create']['body']>, options?: CallOptions): Promise<View>
  get(key: Key, options?: CallOptions): Promise<View>
  list(query?: z.input<N['methods']['list']['query']>, options?: CallOptions): Promise<Page<View>>
  update(key: Key, changes: z.input<N['methods']['update']['body']>, options?: CallOptions): Promise<View>
  delete(key: Key, options?: CallOptions): Promise<void>
}

/**
 * The usual functions of a noun's collection: checked by its schemas, in one transaction each, with the version looked at,
 * maps laid over the present ones, and an event for each change.
 */
export function implement<N extends CrudNoun, T extends PgTable, View, Key extends string | number>(
  engine: Engine,
  own: Own<N, T, View>,
): Crud<N, View, Key> {
  type Row = T['$inferSelect'] & Record<string, unknown>
  const { noun, kept } = own
  const { table, key, kind } = kept
  const { create, get, list, update } = noun.methods
  // The builder's types of a table that is not known are of no use here; the schemas are what checks.
  const untyped = table as PgTable
  const asked = { filterable: defineFilterable(kind, get.output, table) }
  const idOf = (row: Row) => row[noun.key.name] as Key
  const view = async (db: Db, row: Row): Promise<View> => (await own.views(db, [row]))[0] as View

  const record = async (tx: Db, event: string, row: Row, options: CallOptions, before?: Row) => {
    const told = own.told?.(row, before) ?? { [camel(noun.subject)]: idOf(row) }
    const type = `${noun.subject}.${event}` as NewEvent['type']
    const version = event === 'deleted' ? undefined : (row.version as number)
    await recordEvents(engine, tx, [{ type, by: whoIs(options), subject: String(idOf(row)), version, data: told }])
  }

  return {
    async create(input, options = {}) {
      const given = parseInput(create.body, input, `The ${kind}`) as Input<N> & Record<string, unknown>
      return transaction(engine, options, async tx => {
        const change = { given, before: undefined, next: given, options } as Change<N, T['$inferSelect']>
        const id = given[noun.key.name] as string | number
        await own.lock?.(tx, { id, given: change.given })
        await own.check?.(tx, change)
        const more = await own.columns?.(tx, change)
        const now = engine.clock.now()
        const values = { ...written(table, given), ...more, createdAt: now, updatedAt: now }
        const [row] = (await tx.insert(untyped).values(values).onConflictDoNothing().returning()) as Row[]
        if (!row) throw alreadyExists(kind, id)
        await own.after?.(tx, row, change)
        await record(tx, 'created', row, options)
        return view(tx, row)
      })
    },
    async get(id, options = {}) {
      const db = options.tx ?? engine.db
      return view(db, (await readRow(db, kept, id)) as Row)
    },
    async list(query, options = {}) {
      const { after, limit, filter, ...narrowed } = parseInput(
        list.query,
        query ?? {},
        `The query for ${noun.part}`,
      ) as Query
      const db = options.tx ?? engine.db
      const place = { key, where: matching(table, narrowed), asked }
      const rows = (await listRows(db, table, { after, limit, filter }, place)) as Row[]
      const views = await own.views(db, rows.slice(0, limit))
      return { ...toPage(rows, limit, idOf, row => row), items: views }
    },
    async update(id, changes, options = {}) {
      const given = parseInput(update.body, changes, `The change of ${kind} '${id}'`) as Changes<N> & Values
      return transaction(engine, options, async tx => {
        await own.lock?.(tx, { id, given: given as never })
        const before = (await lockRow(tx, kept, id, options)) as Row
        const patch = merged(given, before)
        const change = { given, before, next: { ...before, ...patch }, options } as unknown as Change<
          N,
          T['$inferSelect']
        >
        await own.check?.(tx, change)
        const more = await own.columns?.(tx, change)
        const values = { ...written(table, patch), ...more, updatedAt: engine.clock.now() }
        const [row] = (await tx.update(untyped).set(values).where(eq(key, id)).returning()) as Row[]
        await own.after?.(tx, row as Row, change)
        await record(tx, 'changed', row as Row, options, before)
        return view(tx, row as Row)
      })
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        await own.lock?.(tx, { id, given: {} as never })
        const row = (await lockRow(tx, kept, id, options, 'references')) as Row
        const by = (await own.users?.(tx, row)) ?? []
        if (by.length) throw inUse(kind, id, by, own.use ?? ['needs it', 'need it'])
        await tx.delete(untyped).where(eq(key, id))
        await record(tx, 'deleted', row, options)
      })
    },
  }
}

interface Query extends Record<string, unknown> {
  after?: string
  limit: number
  filter?: string
}

/** What of it has a column. */
const written = (table: PgTable, given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== undefined && name in table))

/** What was given, with maps laid over those that are there. */
function merged(given: Values, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const present = before[name]
      return [name, isMap(value) && isMap(present) ? mergePatch(present, value) : value]
    }),
  )
}

const camel = (subject: string) => subject.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
