import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { type Condition, conditionsOf, type Filter, type NamedSets, setKey } from './filter.ts'
import type { Filterable } from './filterable.ts'

/** Reads what conditions about trees lead to: a statement for each such condition. */
export async function findSets(db: Db, filter: Filter, { fields }: Filterable): Promise<NamedSets> {
  const sets = new Map<string, ReadonlySet<string>>()
  const rooted = conditionsOf(filter).filter((one): one is Extract<Condition, { root: string }> => 'root' in one)
  for (const condition of rooted) {
    const key = setKey(condition)
    if (sets.has(key)) continue
    const tree = fields[condition.field]?.tree
    const rows = tree ? await executeRows<{ name: string }>(db, below(tree, condition.root)) : []
    sets.set(key, new Set(rows.map(row => row.name)))
  }
  return sets
}

const below = (tree: 'site' | 'plot' | 'blueprint', root: string) => {
  if (tree === 'blueprint')
    return sql`with recursive line(name) as (
        select name from contractor.blueprint where name = ${root}
        union select heir.blueprint from contractor.blueprint_parent heir join line on heir.parent = line.name)
      select name from line`
  const table = sql.raw(`contractor.${tree}`)
  return sql`with recursive line(name) as (
      select name from ${table} where name = ${root}
      union select below.name from ${table} below join line on below.parent = line.name)
    select name from line`
}
