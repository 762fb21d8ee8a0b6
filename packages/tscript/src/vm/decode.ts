import { TScriptError } from '../errors.ts'
import type { Json } from '../json.ts'
import { BUILTINS, type Builtin, type BuiltinName } from '../language/builtins.ts'
import { STRIDE, VERSION } from '../program/instruction-set.ts'
import type { Program } from '../program/program.ts'
import { type Fusion, fuse } from './fuse.ts'

/** A program in the form in which the machine reads it. Derived, never saved, and made once for each program object. */
export interface Decoded {
  program: Program
  operations: Uint8Array
  first: Int32Array
  second: Int32Array
  constants: Json[]
  fusion: Fusion
  /** For each call of a built-in function: where each of its parameters stands among the arguments, -1: the default. */
  arguments: (readonly number[])[]
}

const decoded = new WeakMap<Program, Decoded>()

/** Throws a TScriptError `program-version` for a program that this release does not know how to run. */
export function decodeProgram(program: Program): Decoded {
  const known = decoded.get(program)
  if (known) return known
  if (program.version !== VERSION)
    throw new TScriptError(
      'program-version',
      `This release runs programs of version ${VERSION}; this one has version ${String(program.version)}`,
    )
  const { code, calls, constants } = program
  const column = (offset: number) =>
    Int32Array.from({ length: code.length / STRIDE }, (_, at) => code[at * STRIDE + offset] as number)
  const operations = Uint8Array.from(column(0))
  const first = column(1)
  const made: Decoded = {
    program,
    operations,
    first,
    second: column(2),
    constants,
    fusion: fuse(operations, first, constants),
    arguments: calls.map(({ module, function: name, parameters }) => {
      const builtin: Builtin | undefined = module === undefined ? BUILTINS[name as BuiltinName] : undefined
      return builtin ? builtin.parameters.map(parameter => parameters.indexOf(parameter.name)) : []
    }),
  }
  decoded.set(program, made)
  return made
}
