import { ContractorError, type Script } from '@contractor/contract'
import { asc, eq, sql } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { program, script } from '../../database/schema.ts'
import { shownStamps } from '../../noun/stamps.ts'

export function selectScripts(db: Db) {
  return db
    .select({
      name: script.name,
      description: script.description,
      source: program.source,
      programId: script.programId,
      version: script.version,
      createdAt: script.createdAt,
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
  takingLock(tx, 'script')
  await tx.select({ name: script.name }).from(script).where(among).orderBy(asc(script.name)).for('update')
  return selectScripts(tx).where(among)
}

export function toScript({ name, description, source, ...row }: ScriptRow): Script {
  return { name, description, source, ...shownStamps(row) }
}

export const missingScript = (name: string) =>
  new ContractorError('NOT_FOUND', `Script '${name}' does not exist`, { kind: 'Script', id: name })
