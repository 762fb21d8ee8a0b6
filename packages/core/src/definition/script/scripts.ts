import { type Change, type Page, parseInput, type Script, scriptInput, scriptQuery } from '@contractor/contract'
import { eq, gt } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../../database/database.ts'
import { script } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { usersOf } from '../../graph/edges.ts'
import { toPage } from '../../noun/list-rows.ts'
import { checkVersion, inUse } from '../../noun/refuse.ts'
import { compileScript } from './compile-script.ts'
import { putScripts } from './put-scripts.ts'
import { lockScripts, missingScript, selectScripts, toScript } from './script.ts'

export interface Scripts {
  /** Compiles and saves; SCRIPT_INVALID lists every mistake with its place. Jobs under way keep their program. */
  put(input: z.input<typeof scriptInput>, options?: CallOptions): Promise<{ change: Change; warnings: string[] }>
  get(name: string, options?: CallOptions): Promise<Script>
  list(query?: z.input<typeof scriptQuery>, options?: CallOptions): Promise<Page<Script>>
  /** Refused with IN_USE while a BluePrint or a Dependency names it. Jobs under way keep their program. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createScripts(engine: Engine): Scripts {
  return surface(engine, {
    async put(given, options = {}) {
      const input = parseInput(scriptInput, given, 'The script')
      const { program, warnings } = compileScript(engine, input.name, input.source)
      const [saved] = await transaction(engine, options, tx => putScripts(engine, tx, [{ input, program }], options))
      return { change: saved?.change ?? 'unchanged', warnings }
    },
    async get(name, options = {}) {
      const [row] = await selectScripts(options.tx ?? engine.db).where(eq(script.name, name))
      if (!row) throw missingScript(name)
      return toScript(row)
    },
    async list(query = {}, options = {}) {
      const { after, limit } = parseInput(scriptQuery, query, 'The query for Scripts')
      const rows = await selectScripts(options.tx ?? engine.db)
        .where(after === undefined ? undefined : gt(script.name, after))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toScript)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        // Whoever is about to name it waits for its row, and then does not find it.
        const [row] = await lockScripts(tx, [name])
        if (!row) throw missingScript(name)
        checkVersion('Script', name, row.version, options.ifVersion)
        const by = await usersOfScript(tx, name)
        if (by.length) {
          throw inUse('Script', name, by, ['names it', 'name it'])
        }
        await tx.delete(script).where(eq(script.name, name))
        await recordEvents(engine, tx, [{ type: 'script.deleted', by: whoIs(options), data: { script: name } }])
      })
    },
  })
}

const usersOfScript = (tx: Db, name: string) => usersOf(tx, { kind: 'Script', key: name }, ['names'])
