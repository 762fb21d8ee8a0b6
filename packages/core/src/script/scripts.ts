import { compile, formatDiagnostic, type HostNames, type Program, referencedNames } from '@contractor/tscript'
import { asc, eq, gt } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { program, script } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction } from '../engine/engine.ts'
import { type Page, pageRequest, plainName, toPage } from '../name.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'
import { scriptNames } from './script-names.ts'

export const scriptInput = z.strictObject({
  name: plainName,
  description: z.string().default(''),
  source: z.string().max(1_000_000, 'must be 1,000,000 characters at the most'),
})

export const scriptView = z.object({
  name: z.string(),
  description: z.string(),
  source: z.string(),
  updatedAt: z.iso.datetime(),
})
export type Script = z.output<typeof scriptView>

/** What saving something did. */
export type Change = 'created' | 'changed' | 'unchanged'

export interface Scripts {
  /** Compiles and saves; SCRIPT_INVALID lists every mistake with its place. Jobs under way keep their program. */
  put(input: z.input<typeof scriptInput>, options?: CallOptions): Promise<{ change: Change; warnings: string[] }>
  get(name: string, options?: CallOptions): Promise<Script>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<Script>>
}

export function createScripts(engine: Engine): Scripts {
  return {
    async put(input, options = {}) {
      const parsed = parseInput(scriptInput, input, 'The script')
      return transaction(engine, options, tx => putScript(engine, tx, parsed))
    },
    async get(name, options = {}) {
      const [row] = await selectScripts(options.tx ?? engine.db).where(eq(script.name, name))
      if (!row) throw new ContractorError('NOT_FOUND', `Script '${name}' does not exist`, { kind: 'Script', id: name })
      return toScript(row)
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await selectScripts(options.tx ?? engine.db)
        .where(after === undefined ? undefined : gt(script.name, after))
        .orderBy(asc(script.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toScript)
    },
  }
}

/** Compiles a script against the names that the loaded plugins offer. Throws SCRIPT_INVALID. */
export function compileScript(engine: Engine, name: string, source: string): { program: Program; warnings: string[] } {
  const compiled = compile(source)
  const unknownModules: string[] = []
  let result = compiled
  if (compiled.ok) {
    const known = scriptNames(engine.plugins)
    const names: HostNames = { ...known }
    for (const module of Object.keys(referencedNames(compiled.program))) {
      // A resource file may speak of drivers that are not loaded here: that is no mistake until it runs.
      if (Object.hasOwn(known, module)) continue
      names[module] = { open: true }
      unknownModules.push(module)
    }
    result = compile(source, { names })
  }
  if (!result.ok) {
    const diagnostics = result.diagnostics.filter(one => one.severity === 'error')
    const list = diagnostics.map(one => formatDiagnostic(one, name)).join('\n')
    throw new ContractorError('SCRIPT_INVALID', `Script '${name}' has ${count(diagnostics.length)}:\n${list}`, {
      script: name,
      diagnostics: diagnostics.map(({ line, column, message }) => ({ line, column, message })),
    })
  }
  const warnings = result.diagnostics.map(one => formatDiagnostic(one, name))
  for (const module of unknownModules)
    warnings.push(`${name}: no plugin that is loaded provides the module '${module}'`)
  return { program: result.program, warnings }
}

export async function putScript(
  engine: Engine,
  tx: Db,
  input: z.output<typeof scriptInput>,
): Promise<{ change: Change; warnings: string[] }> {
  const { program: compiled, warnings } = compileScript(engine, input.name, input.source)
  const programId = await saveProgram(tx, compiled, input.source)
  const [present] = await tx.select().from(script).where(eq(script.name, input.name)).for('update')
  const now = engine.clock.now()
  if (!present) {
    await tx
      .insert(script)
      .values({ name: input.name, description: input.description, programId, createdAt: now, updatedAt: now })
    return { change: 'created', warnings }
  }
  if (present.programId === programId && present.description === input.description)
    return { change: 'unchanged', warnings }
  await tx
    .update(script)
    .set({ description: input.description, programId, updatedAt: now })
    .where(eq(script.name, input.name))
  return { change: 'changed', warnings }
}

/** Saves a compiled program, once; gives its key. */
export async function saveProgram(tx: Db, compiled: Program, source: string): Promise<string> {
  const id = programKey(compiled)
  await tx.insert(program).values({ id, source, compiled: compiled }).onConflictDoNothing()
  return id
}

/** A program's key: its source in its instruction set, since a later version may compile the same source otherwise. */
function programKey({ version, id }: Program): string {
  return `${version}-${id}`
}

const count = (errors: number) => (errors === 1 ? 'an error' : `${errors} errors`)

function selectScripts(db: Db) {
  return db
    .select({ name: script.name, description: script.description, source: program.source, updatedAt: script.updatedAt })
    .from(script)
    .innerJoin(program, eq(program.id, script.programId))
    .$dynamic()
}

function toScript(row: { name: string; description: string; source: string; updatedAt: Date }): Script {
  return { ...row, updatedAt: row.updatedAt.toISOString() }
}
