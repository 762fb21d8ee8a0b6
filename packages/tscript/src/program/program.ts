import type { Json } from '../json.ts'

/** A call as the program writes it: the names of its parameters, in the order in which they are evaluated. */
export interface CallSite {
  /** Absent: a built-in function. */
  module?: string
  function: string
  parameters: string[]
}

export interface BlockSite {
  description?: string
  /** Seconds. */
  expected?: number
  /** Seconds. */
  max?: number
  line: number
  /** The number of the block around it; absent at the outermost level. */
  parent?: number
  /** The instruction that enters it, and the one behind the one that leaves it. */
  from: number
  to: number
}

/** A compiled program: plain JSON, stored beside the jobs that run it and continued by later releases. */
export interface Program {
  /** The version of the instruction set. */
  version: number
  /** The SHA-256 of the source, hexadecimal. */
  id: string
  /** Three numbers an instruction; see `instruction-set.ts`. */
  code: number[]
  /** Line and column of each instruction. */
  positions: number[]
  constants: Json[]
  variables: string[]
  /** Module and name of each value of the host. */
  members: [module: string, name: string][]
  calls: CallSite[]
  blocks: BlockSite[]
}

/** The values and functions of modules that a program mentions, each once, in the order of their names. */
export function referencedNames(program: Program): { [module: string]: string[] } {
  const found = new Map<string, Set<string>>()
  const note = (module: string, name: string) => {
    const names = found.get(module) ?? new Set()
    found.set(module, names.add(name))
  }
  for (const [module, name] of program.members) note(module, name)
  for (const call of program.calls) if (call.module !== undefined) note(call.module, call.function)
  const modules = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(modules.map(([module, names]) => [module, [...names].sort()]))
}
