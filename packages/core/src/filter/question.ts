import type { Json } from '@contractor/contract'
import type { SQL } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { configPath, readFilter } from './check-filter.ts'
import { compileFilter } from './compile-filter.ts'
import type { Filterable } from './filterable.ts'
import { findSets } from './find-sets.ts'
import { matches } from './match.ts'

/** A value of a target's config, as people may see it; undefined where there is none, or it cannot be rendered. */
export type ReadConfig = (name: string) => Json | undefined

/** A filter that is about to be asked. */
export interface Question {
  /** What the database is asked: it finds all that fit, and where it is not exact, others too. */
  readonly where: SQL
  readonly isExact: boolean
  /** Whether one of the found rows fits. */
  holds(row: Readonly<Record<string, unknown>>, config?: ReadConfig): boolean
}

/** Reads a filter for a noun, with what it has to know of trees. Throws FILTER_INVALID. */
export async function prepareQuestion(db: Db, text: string, filterable: Filterable): Promise<Question> {
  const filter = readFilter(text, filterable)
  const sets = await findSets(db, filter, filterable)
  return {
    ...compileFilter(filter, filterable, sets),
    holds(row, config) {
      const read = (field: string): Json | undefined => {
        const path = configPath(field)
        if (path !== undefined && filterable.hasConfig) return readConfig(config, path)
        const value = row[field]
        return (value instanceof Date ? value.getTime() : value) as Json | undefined
      }
      return matches(filter, read, sets, filterable)
    },
  }
}

/** A name, or a path of names into a map or a list. */
function readConfig(config: ReadConfig | undefined, path: string): Json | undefined {
  const [name = '', ...rest] = path.split('.')
  return rest.reduce<Json | undefined>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined
    return Object.hasOwn(value, part) ? (value as Record<string, Json>)[part] : undefined
  }, config?.(name))
}
