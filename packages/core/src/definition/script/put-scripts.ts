import type { ScriptInput } from '@contractor/contract'
import type { Program } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { Saved } from '../../noun/saved.ts'
import { checkSaved } from '../../noun/saved.ts'
import { programKey } from './compile-script.ts'
import { lockScripts } from './script.ts'

export interface CompiledScript {
  input: ScriptInput
  program: Program
}

/**
 * Saves scripts that have been compiled; says of each what that did, in their order. Programs are stored once, by what
 * they are: those of Jobs under way stay, whatever becomes of the script. A number of statements that does not grow.
 */
export async function putScripts(
  engine: Engine,
  tx: Db,
  scripts: readonly CompiledScript[],
  options: CallOptions,
): Promise<Saved<ScriptInput>[]> {
  if (!scripts.length) return []
  const present = new Map(
    (
      await lockScripts(
        tx,
        scripts.map(({ input }) => input.name),
      )
    ).map(row => [row.name, row]),
  )
  const saved = scripts.map(({ input, program }): Saved<ScriptInput> => {
    const found = present.get(input.name)
    checkSaved('Script', input.name, found, options)
    if (!found) return { change: 'created', before: undefined, after: input }
    const same = found.programId === programKey(program) && found.description === input.description
    const { name, description, source } = found
    return { change: same ? 'unchanged' : 'changed', before: { name, description, source }, after: input }
  })
  const changed = scripts.filter((_, at) => saved[at]?.change !== 'unchanged')
  if (!changed.length) return saved
  await writePrograms(tx, changed)
  await writeScripts(engine, tx, changed)
  await recordEvents(
    engine,
    tx,
    saved.flatMap(({ change, after: { name } }) =>
      change === 'unchanged' ? [] : [{ type: `script.${change}` as const, by: whoIs(options), data: { script: name } }],
    ),
  )
  return saved
}

async function writePrograms(tx: Db, scripts: readonly CompiledScript[]): Promise<void> {
  const programs = scripts.map(({ input, program }) => ({
    id: programKey(program),
    source: input.source,
    compiled: program,
  }))
  await tx.execute(
    sql`insert into contractor.program (id, source, compiled)
        select distinct on (id) id, source, compiled
        from jsonb_to_recordset(${JSON.stringify(programs)}::jsonb) as new(id text, source text, compiled jsonb)
        order by id on conflict do nothing`,
  )
}

async function writeScripts(engine: Engine, tx: Db, scripts: readonly CompiledScript[]): Promise<void> {
  const now = engine.clock.now()
  const rows = scripts.map(({ input: { name, description }, program }) => ({
    ...{ name, description },
    program: programKey(program),
  }))
  await tx.execute(
    sql`insert into contractor.script (name, description, program_id, created_at, updated_at)
        select name, description, program, ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new(name text, description text, program text)
        order by name
        on conflict (name) do update set description = excluded.description, program_id = excluded.program_id,
          updated_at = excluded.updated_at`,
  )
}
