import type { LoadResult } from '@contractor/contract'
import { is, TransactionRollbackError } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { type CallOptions, type Engine, transaction } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { loadSources } from './load-sources.ts'
import { parseSource, readSources, type Source } from './source.ts'

export interface LoadOptions extends CallOptions {
  /** Says what loading would do, and changes nothing. */
  dryRun?: boolean
}

export interface Resources {
  /**
   * Loads resource files: one, several, or the `*.toml` of folders. All of them together or nothing, in any order: they
   * may name what another one of them has. RESOURCE_INVALID says where the mistake is.
   */
  load(paths: string | readonly string[], options?: LoadOptions): Promise<LoadResult>
  /** The same with one file, from text; `file` is how messages name it. */
  loadText(text: string, file: string, options?: LoadOptions): Promise<LoadResult>
}

export function createResources(engine: Engine): Resources {
  const load = (sources: readonly Source[], { dryRun = false, ...options }: LoadOptions) =>
    transaction(engine, options, tx => {
      const run = (inner: Db) => loadSources(engine, inner, sources, options)
      return dryRun ? rehearse(tx, run) : tx.transaction(run)
    })
  return surface(engine, {
    async load(paths, options = {}) {
      return load(await readSources(typeof paths === 'string' ? [paths] : paths), options)
    },
    async loadText(text, file, options = {}) {
      return load([parseSource(text, file)], options)
    },
  })
}

/** Runs something in a savepoint that is rolled back: it says what it would do, also within a caller's transaction. */
async function rehearse<T>(tx: Db, run: (inner: Db) => Promise<T>): Promise<T> {
  const done: { result?: T } = {}
  try {
    await tx.transaction(async inner => {
      done.result = await run(inner)
      inner.rollback()
    })
  } catch (error) {
    if (!is(error, TransactionRollbackError) || !('result' in done)) throw error
  }
  return done.result as T
}
