import { ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { named } from './refuse.ts'

/** What has things of its own kind above it: each by its name, with the name of the one above in `parent`. */
export interface Tree {
  readonly kind: string
  readonly table: SQL
  /** How a message says that one is below another. */
  readonly below: string
}

export const siteTree: Tree = { kind: 'Site', table: sql`contractor.site`, below: 'belong to' }
export const plotTree: Tree = { kind: 'Plot', table: sql`contractor.plot`, below: 'be in' }
export const zoneTree: Tree = { kind: 'Zone', table: sql`contractor.zone`, below: 'be below' }

/** BluePrints inherit from several: they are no tree, and their circles are looked for elsewhere (see blueprint-laws.ts). */
export const blueprintTree = { kind: 'BluePrint' } as const

/**
 * Whoever changes who is above whom holds this until the transaction ends: two that move at once could close a circle
 * that neither sees, and who walks up a circle never ends.
 */
export async function lockTree(tx: Db, { kind }: Pick<Tree, 'kind'>): Promise<void> {
  takingLock(tx, kind === blueprintTree.kind ? 'blueprint-tree' : 'tree')
  await executeRows(tx, sql`select pg_advisory_xact_lock(hashtext(${`contractor.${kind}`}))`)
}

/** The names of one and of all above it, the nearest first, as the query `line(name, depth)`; for `with recursive`. */
export const lineAbove = ({ table }: Tree, name: SQL): SQL => sql`line(name, parent, depth) as (
    select name, parent, 1 from ${table} where name = ${name}
    union all
    select above.name, above.parent, line.depth + 1 from ${table} above join line on line.parent = above.name
  ) cycle name set is_circle using path`

/** The names of one and of all below it, as the query `within(name)`; for `with recursive`. */
export const allWithin = ({ table }: Tree, name: SQL): SQL => sql`within(name) as (
    select name from ${table} where name = ${name}
    union
    select below.name from ${table} below join within on below.parent = within.name
  )`

/** Refuses to place one below another that is below it already; the tree's lock must be held. */
export async function refuseCircle(tx: Db, tree: Tree, name: string, parent: string): Promise<void> {
  const above = await executeRows<{ name: string }>(
    tx,
    sql`with recursive ${lineAbove(tree, sql`${parent}`)} select name from line order by depth`,
  )
  const place = above.findIndex(one => one.name === name)
  if (place < 0) return
  const path = [name, ...above.slice(0, place + 1).map(one => one.name)].join(' → ')
  throw new ContractorError(
    'VALIDATION_FAILED',
    `${named(tree.kind, name)} cannot ${tree.below} '${parent}': that would be a circle (${path})`,
    { issues: [{ path: 'parent', message: `makes a circle: ${path}` }] },
  )
}
