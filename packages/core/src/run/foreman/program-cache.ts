import type { Program } from '@contractor/tscript'
import { inArray } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { program } from '../../database/schema.ts'

/** Compiled programs never change, so each process reads each of them once. */
export interface ProgramCache {
  load(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, Program>>
}

/** How many programs a process keeps at hand. */
const mostPrograms = 1000

export function createProgramCache(): ProgramCache {
  const programs = new Map<string, Program>()
  return {
    async load(db, ids) {
      const wanted = [...new Set(ids)]
      const missing = wanted.filter(id => !programs.has(id))
      if (missing.length) {
        if (programs.size + missing.length > mostPrograms) programs.clear()
        const still = wanted.filter(id => !programs.has(id))
        const rows = await db
          .select({ id: program.id, compiled: program.compiled })
          .from(program)
          .where(inArray(program.id, still))
        for (const row of rows) programs.set(row.id, row.compiled)
      }
      return new Map(wanted.map(id => [id, programs.get(id) as Program]))
    },
  }
}
