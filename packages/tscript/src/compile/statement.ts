import type { Position } from '../diagnostic.ts'
import type { BlockSite } from '../program/program.ts'
import type { Assignment, Block, Expression, If, Statement, Target, While } from '../syntax/ast.ts'
import { constantOf } from '../syntax/constant.ts'
import { isTrue } from '../value/kinds.ts'
import type { Emitter } from './emitter.ts'
import { compileExpression, compileTested } from './expression.ts'

/** Where `break` and `continue` lead, and how many blocks were open when the loop began. */
interface Loop {
  breaks: number[]
  continues: number[]
  depth: number
}

/** Statements leave the stack as they found it. Every way through a loop passes a jump, where the machine counts a step. */
export class StatementCompiler {
  private readonly out: Emitter
  private readonly loops: Loop[] = []
  private readonly open: number[] = []
  private readonly labels = new Map<string, number>()
  private readonly gotos: { name: string; instruction: number }[] = []

  constructor(out: Emitter) {
    this.out = out
  }

  compileProgram(root: Block): void {
    for (const statement of root.body) this.compile(statement)
    this.out.emit('end', root.end)
    for (const { name, instruction } of this.gotos) this.out.code[instruction * 3 + 1] = this.labels.get(name) as number
  }

  private compile(statement: Statement): void {
    const { out } = this
    const { at } = statement
    switch (statement.kind) {
      case 'assign':
        compileAssignment(statement, out)
        return
      case 'value':
        compileExpression(statement.value, out)
        out.emit('drop', at)
        return
      case 'if':
        this.compileIf(statement)
        return
      case 'while':
        this.compileWhile(statement)
        return
      case 'block':
        this.compileBlock(statement)
        return
      case 'label':
        // A label that is defined twice stands for its first place.
        if (!this.labels.has(statement.name)) this.labels.set(statement.name, out.here)
        return
      case 'goto':
        this.gotos.push({ name: statement.name, instruction: out.emit('goto', at) })
        return
      case 'break':
      case 'continue':
        this.compileExit(statement.kind, at)
    }
  }

  private compileIf({ branches, otherwise }: If): void {
    const { out } = this
    const ends: number[] = []
    branches.forEach(({ condition, body, at }, number) => {
      compileTested(condition, out)
      const skip = out.emit('jumpIfFalse', at)
      this.compile(body)
      if (number < branches.length - 1 || otherwise) ends.push(out.emit('jump', at))
      out.land(skip)
    })
    if (otherwise) this.compile(otherwise)
    for (const end of ends) out.land(end)
  }

  /** The test stands behind the body: a round is one jump, not two. */
  private compileWhile({ condition, body, at }: While): void {
    const { out } = this
    const loop: Loop = { breaks: [], continues: [], depth: this.open.length }
    const endless = isAlways(condition)
    if (!endless) loop.continues.push(out.emit('jump', at))
    const start = out.here
    this.loops.push(loop)
    this.compile(body)
    this.loops.pop()
    for (const jump of loop.continues) out.land(jump)
    if (endless) out.emit('jump', at, start)
    else {
      compileTested(condition, out)
      out.emit('jumpIfTrue', at, start)
    }
    for (const jump of loop.breaks) out.land(jump)
  }

  private compileBlock({ options, body, at, end }: Block): void {
    const { out } = this
    const { description, expectedSeconds, maxSeconds } = options
    const parent = this.open[this.open.length - 1]
    const site: BlockSite = {
      ...(description === undefined ? {} : { description }),
      ...(expectedSeconds === undefined ? {} : { expected: expectedSeconds }),
      ...(maxSeconds === undefined ? {} : { max: maxSeconds }),
      line: at.line,
      ...(parent === undefined ? {} : { parent }),
      from: out.here,
      to: 0,
    }
    const number = out.blocks.push(site) - 1
    out.emit('enter', at, number)
    this.open.push(number)
    for (const statement of body) this.compile(statement)
    this.open.pop()
    out.emit('leave', end)
    site.to = out.here
  }

  private compileExit(kind: 'break' | 'continue', at: Position): void {
    const loop = this.loops[this.loops.length - 1] as Loop
    const jump = this.out.emit('exit', at, 0, this.open.length - loop.depth)
    if (kind === 'break') loop.breaks.push(jump)
    else loop.continues.push(jump)
  }
}

function isAlways(condition: Expression): boolean {
  const constant = constantOf(condition)
  return constant !== undefined && isTrue(constant)
}

/** `a = b = value`: b is set first, then a. */
function compileAssignment({ targets, value }: Assignment, out: Emitter): void {
  compileExpression(value, out)
  for (const [number, target] of [...targets].reverse().entries()) {
    if (number < targets.length - 1) out.emit('duplicate', target.at)
    compileStore(target, out)
  }
}

function compileStore({ base, keys, at }: Target, out: Emitter): void {
  for (const key of keys) compileExpression(key, out)
  if (base.kind === 'variable') {
    if (keys.length === 0) out.emit('store', at, out.variable(base.name))
    else out.emit('storePath', at, out.variable(base.name), keys.length)
  } else if (keys.length === 0) out.emit('storeModule', at, out.member(base.module, base.name))
  else out.emit('storeModulePath', at, out.member(base.module, base.name), keys.length)
}
