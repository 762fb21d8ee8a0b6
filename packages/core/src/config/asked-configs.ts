import { type Json, maskSecrets } from '@contractor/contract'
import type { Db } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import type { Filterable } from '../filter/filterable.ts'
import type { ReadConfig } from '../filter/question.ts'
import type { Asked } from '../noun/list-rows.ts'
import { type Config, loadConfigs } from './load-config.ts'

/** What filters may ask of targets with a config: that too, rendered, with secrets as people see them. */
export function askedOf<Row, Key extends string | number>(
  engine: Engine,
  filterable: Filterable,
  kind: 'structures' | 'foundations',
  keyOf: (row: Row) => Key,
): Asked {
  return {
    filterable,
    async configs(db: Db, rows: readonly Row[]) {
      const found = await loadConfigs(engine, db, { [kind]: rows.map(keyOf) })
      const configs = found[kind] as ReadonlyMap<string | number, Config>
      return row => readerOf(configs.get(keyOf(row)))
    },
  }
}

/** What cannot be rendered is none: the list of all configs says why. */
const readerOf =
  (config: Config | undefined): ReadConfig =>
  name => {
    try {
      const value = config?.get(name)
      return value === undefined ? undefined : (maskSecrets({ value }).value as Json)
    } catch {
      return undefined
    }
  }
