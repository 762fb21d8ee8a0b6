import { ContractorError } from '@contractor/contract'
import { compile, formatDiagnostic, type HostNames, type Program, referencedNames } from '@contractor/tscript'
import type { Db } from '../../database/database.ts'
import { program } from '../../database/schema.ts'
import type { Engine } from '../../engine/engine.ts'
import { scriptNames } from './script-names.ts'

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

/** Saves a compiled program, once; gives its key. */
export async function saveProgram(tx: Db, compiled: Program, source: string): Promise<string> {
  const id = programKey(compiled)
  await tx.insert(program).values({ id, source, compiled: compiled }).onConflictDoNothing()
  return id
}

/** A program's key: its source in its instruction set, since a later version may compile the same source otherwise. */
export function programKey({ version, id }: Program): string {
  return `${version}-${id}`
}

const count = (errors: number) => (errors === 1 ? 'an error' : `${errors} errors`)
