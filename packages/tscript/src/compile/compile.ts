import { createHash } from 'node:crypto'
import { check } from '../check/check.ts'
import type { HostNames } from '../check/host-names.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { VERSION } from '../program/instruction-set.ts'
import type { Program } from '../program/program.ts'
import { Source } from '../source.ts'
import { parse } from '../syntax/parse.ts'
import { Emitter } from './emitter.ts'
import { StatementCompiler } from './statement.ts'

export type CompileResult =
  | { ok: true; program: Program /** Warnings only. */; diagnostics: Diagnostic[] }
  | { ok: false; diagnostics: Diagnostic[] }

export interface CompileOptions {
  /** What the host offers. Without it no module is checked: its names are then found missing when the program runs. */
  names?: HostNames
}

/** Compiles a source text, or tells everything that is wrong with it. Never throws for any text. */
export function compile(text: string, options: CompileOptions = {}): CompileResult {
  const source = new Source(text)
  const root = parse(source)
  // Where a line could not be read, a warning would be about what is missing there.
  const understood = !source.failed
  check(root, source, options.names)
  const diagnostics = source.sorted().filter(finding => understood || finding.severity === 'error')
  if (source.failed) return { ok: false, diagnostics }
  const out = new Emitter()
  new StatementCompiler(out).compileProgram(root)
  const { code, positions, constants, variables, members, calls, blocks } = out
  const id = createHash('sha256').update(text).digest('hex')
  return {
    ok: true,
    program: { version: VERSION, id, code, positions, constants, variables, members, calls, blocks },
    diagnostics,
  }
}
