import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../database/database.ts'

/** An object among all objects: its kind, as nouns are named, and its key. */
export interface Node {
  readonly kind: string
  readonly key: string | number
}

/** One leads from what needs to what is needed. */
export interface Edge {
  readonly kind: EdgeKind
  readonly from: Node
  /** How messages name where it comes from. */
  readonly title: string
  readonly to: Node
}

export type EdgeKind = (typeof needs)[number] | 'runs scripts on' | 'belongs to' | (typeof others)[number]

/** What must be there for something to be there: by these Jobs wait for each other. */
export const needs = ['stands on', 'waits for', 'depends on', 'is provided by', 'consists of'] as const
const others = [
  'is in',
  'has names in',
  'is delegated by',
  'carries',
  'is of',
  'is made of',
  'inherits from',
  'may stand on',
  'names',
] as const

/** A node's name among all nodes. */
export const nodeKey = ({ kind, key }: Node): string => `${kind} ${key}`

interface Row extends Record<string, unknown> {
  kind: EdgeKind
  from_kind: string
  from_id: string | number | null
  from_name: string | null
  from_title: string
  to_kind: string
  to_id: string | number | null
  to_name: string | null
}

/**
 * Edges at one end of nodes that a query has as `kind`, `id` and `name` (one of the two is null). The kinds stand in the statement, so
 * that only the tables are looked into that have such edges.
 */
export function edgesAt(nodes: SQL, end: 'from' | 'to', kinds: readonly EdgeKind[]): SQL {
  const at = (column: string) => sql.raw(`edge.${end}_${column}`)
  const only = sql.raw(`edge.kind in (${kinds.map(kind => `'${kind}'`).join(', ')})`)
  // One look-up by id and one by name: of a single one with `or`, PostgreSQL reads whole tables.
  return sql`lateral (
    select edge.* from contractor.edge where ${only} and ${at('kind')} = ${nodes}.kind and ${at('id')} = ${nodes}.id
    union all
    select edge.* from contractor.edge where ${only} and ${at('kind')} = ${nodes}.kind and ${at('name')} = ${nodes}.name)`
}

const loaded = (end: 'from' | 'to', kinds: readonly EdgeKind[], nodes: string, limit: SQL): SQL =>
  sql`select edge.* from jsonb_to_recordset(${nodes}::jsonb) as node(kind text, id bigint, name text)
      cross join ${edgesAt(sql`node`, end, kinds)} as edge ${limit}`

async function loadEdges(
  db: Db,
  nodes: readonly Node[],
  end: 'from' | 'to',
  kinds: readonly EdgeKind[],
  limit: SQL = sql``,
): Promise<Edge[]> {
  if (!nodes.length) return []
  const rows = await executePrepared<Row>(db, loaded(end, kinds, JSON.stringify(nodes.map(toRow)), limit))
  return rows.map(toEdge)
}

const toRow = ({ kind, key }: Node) => (typeof key === 'number' ? { kind, id: key } : { kind, name: key })

const toEdge = (row: Row): Edge => ({
  kind: row.kind,
  from: { kind: row.from_kind, key: keyOf(row.from_id, row.from_name) },
  title: row.from_title,
  to: { kind: row.to_kind, key: keyOf(row.to_id, row.to_name) },
})

const keyOf = (id: string | number | null, name: string | null) => (name === null ? Number(id) : name)

/** What these need, of such kinds of edges: one statement. */
export const edgesFrom = (db: Db, nodes: readonly Node[], kinds: readonly EdgeKind[] = needs): Promise<Edge[]> =>
  loadEdges(db, nodes, 'from', kinds)

/** What needs these. */
export const edgesTo = (db: Db, nodes: readonly Node[], kinds: readonly EdgeKind[] = needs): Promise<Edge[]> =>
  loadEdges(db, nodes, 'to', kinds)

/** Who keeps a node from being deleted, each once and as messages name it, twenty at the most. */
export async function usersOf(db: Db, node: Node, kinds: readonly EdgeKind[]): Promise<string[]> {
  const edges = await loadEdges(db, [node], 'to', kinds, sql`limit 40`)
  return [...new Set(edges.map(({ from, title }) => `${from.kind} ${title}`))].slice(0, 20)
}
