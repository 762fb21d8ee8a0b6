import type { Position } from '../diagnostic.ts'
import type { Json } from '../json.ts'
import { Op, type OpName, STRIDE } from '../program/instruction-set.ts'
import type { BlockSite, CallSite } from '../program/program.ts'

/** Collects instructions and what they refer to; equal constants, names and calls are kept once. */
export class Emitter {
  readonly code: number[] = []
  readonly positions: number[] = []
  readonly constants: Json[] = []
  readonly variables: string[] = []
  readonly members: [string, string][] = []
  readonly calls: CallSite[] = []
  readonly blocks: BlockSite[] = []
  private readonly known = {
    constants: new Map<string | number | boolean, number>(),
    variables: new Map<string, number>(),
    members: new Map<string, number>(),
    calls: new Map<string, number>(),
  }

  /** The number of the next instruction. */
  get here(): number {
    return this.code.length / STRIDE
  }

  emit(name: OpName, at: Position, first = 0, second = 0): number {
    const instruction = this.here
    this.code.push(Op[name], first, second)
    this.positions.push(at.line, at.column)
    return instruction
  }

  /** Lets the jump at an instruction lead to the next one. */
  land(instruction: number): void {
    this.code[instruction * STRIDE + 1] = this.here
  }

  constant(value: Json): number {
    return this.intern(
      this.constants,
      value,
      typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : value,
      this.known.constants,
    )
  }
  variable(name: string): number {
    return this.intern(this.variables, name, name, this.known.variables)
  }
  member(module: string, name: string): number {
    return this.intern(this.members, [module, name], `${module}.${name}`, this.known.members)
  }
  call(site: CallSite): number {
    const { module = '', function: name, parameters } = site
    return this.intern(this.calls, site, `${module}.${name} ${parameters.join(' ')}`, this.known.calls)
  }

  private intern<T, K>(list: T[], item: T, key: K, known: Map<K, number>): number {
    const found = known.get(key)
    if (found !== undefined) return found
    list.push(item)
    known.set(key, list.length - 1)
    return list.length - 1
  }
}
