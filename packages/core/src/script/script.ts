import { ContractorError } from '@contractor/plugin'
import { asc, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { program, script } from '../database/schema.ts'
import { lines } from '../line-ends.ts'
import { plainName } from '../name.ts'

export const scriptInput = z.strictObject({
  name: plainName,
  description: z.string().default(''),
  source: lines(z.string().max(1_000_000, 'must be 1,000,000 characters at the most')),
})
export type ScriptInput = z.output<typeof scriptInput>

export const scriptView = z.object({
  name: z.string(),
  description: z.string(),
  source: z.string(),
  updatedAt: z.iso.datetime(),
})
export type Script = z.output<typeof scriptView>

export function selectScripts(db: Db) {
  return db
    .select({
      name: script.name,
      description: script.description,
      source: program.source,
      programId: script.programId,
      updatedAt: script.updatedAt,
    })
    .from(script)
    .innerJoin(program, eq(program.id, script.programId))
    .orderBy(asc(script.name))
    .$dynamic()
}
export type ScriptRow = Awaited<ReturnType<typeof selectScripts>>[number]

/** Locked, so that nobody changes or deletes them until the transaction ends. */
export async function lockScripts(tx: Db, names: readonly string[]): Promise<ScriptRow[]> {
  const among = sql`${script.name} in (select value from jsonb_array_elements_text(${JSON.stringify(names)}::jsonb))`
  await tx.select({ name: script.name }).from(script).where(among).orderBy(asc(script.name)).for('update')
  return selectScripts(tx).where(among)
}

export function toScript({ programId: _, ...row }: ScriptRow): Script {
  return { ...row, updatedAt: row.updatedAt.toISOString() }
}

export const missingScript = (name: string) =>
  new ContractorError('NOT_FOUND', `Script '${name}' does not exist`, { kind: 'Script', id: name })
