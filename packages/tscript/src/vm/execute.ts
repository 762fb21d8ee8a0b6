import { TScriptError } from '../errors.ts'
import type { Json } from '../json.ts'
import { Op } from '../program/instruction-set.ts'
import { calculate, combineBits } from '../value/arithmetic.ts'
import { disown, getElement } from '../value/container.ts'
import { areEqual, compareOrder } from '../value/equality.ts'
import { Fault } from '../value/fault.ts'
import { setKey, writeKey } from '../value/keys.ts'
import { isTrue } from '../value/kinds.ts'
import { takeSteps } from '../value/meter.ts'
import { checkSize } from '../value/size.ts'
import { checkAppendable, popPlace } from './builtin.ts'
import { callBuiltin, callHost } from './call.ts'
import { Fused, holds } from './fuse.ts'
import { join } from './join.ts'
import { checkDeadline, type Machine, takeFault, updateDeadline } from './machine.ts'
import { appendMember, getMember, popMember, setMember, setMemberPath } from './module-access.ts'
import { appendPath, lengthPath, loadPath, missingVariable, popPath, storePath } from './variable.ts'

/*
 * The machine: one loop over the decoded instructions. What is hot (numbers, variables, jumps) is written out in the loop
 * with the stack in local variables; everything else is a function of a neighbouring file.
 *
 * The budget counts what stores, jumps and calls: about one step a statement. Every loop holds a jump, so that no
 * program can run without spending it. What reads or copies large values costs further steps, see `meter.ts`; they are
 * charged behind the instruction, any of which the program can stop at. So a run exceeds its budget by one instruction
 * at the most.
 */

/** Up to here a double holds every integer, and a sum needs no further look. */
const EXACT = Number.MAX_SAFE_INTEGER

/**
 * Runs until the machine stops, the budget of steps is spent, or so many instructions have been run. Gives the steps that
 * are left; below zero are those by which the last instruction exceeded the budget.
 */
export function execute(machine: Machine, steps: number, instructions = Number.POSITIVE_INFINITY): number {
  const budget = { steps, instructions }
  while (machine.stop === undefined && budget.instructions > 0) {
    try {
      loop(machine, budget)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      takeFault(machine, error)
    }
  }
  return budget.steps
}

function loop(machine: Machine, budget: { steps: number; instructions: number }): void {
  const { operations, first, second, constants, fusion } = machine.decoded
  const { stack, slots, owned } = machine
  const single = budget.instructions !== Number.POSITIVE_INFINITY
  const table = single ? operations : fusion.operations
  let pc = machine.pc
  // A fault, or the answer of a call that was pending, has touched something before the first instruction.
  const owed = takeSteps(machine)
  let steps = budget.steps - owed
  const timed = machine.deadline !== Number.POSITIVE_INFINITY
  try {
    if (owed > 0 && steps <= 0) {
      machine.stop = { kind: 'budget' }
      return
    }
    for (;;) {
      if (single && budget.instructions-- <= 0) return
      const a = first[pc] as number
      switch (table[pc]) {
        case Fused.update: {
          const sum = (slots[a] as number) + (fusion.numbers[pc] as number)
          if (typeof slots[a] !== 'number' || !(sum <= EXACT && sum >= -EXACT)) {
            table[pc] = operations[pc] as number
            continue
          }
          slots[first[pc + 3] as number] = sum
          pc += 4
          break
        }
        case Fused.test: {
          const other = fusion.rights[pc] as number
          const right = other < 0 ? fusion.numbers[pc] : slots[other]
          const left = slots[a]
          if (typeof left !== 'number' || typeof right !== 'number') {
            table[pc] = operations[pc] as number
            continue
          }
          const truth = holds(operations[pc + 2] as number, left, right)
          pc = truth === (operations[pc + 3] === Op.jumpIfTrue) ? (first[pc + 3] as number) : pc + 4
          break
        }
        case Op.constant:
          stack.push(constants[a] as Json)
          pc++
          continue
        case Op.load:
        case Op.borrow: {
          const value = slots[a]
          if (value === undefined) throw missingVariable(machine, a)
          if (typeof value === 'object' && operations[pc] === Op.load) disown(value, owned)
          stack.push(value)
          pc++
          continue
        }
        case Op.store:
          slots[a] = stack.pop() as Json
          pc++
          break
        case Op.add: {
          const right = stack.pop() as Json
          const left = stack[stack.length - 1] as Json
          const sum = (left as number) + (right as number)
          stack[stack.length - 1] =
            typeof left === 'number' && typeof right === 'number' && sum <= EXACT && sum >= -EXACT
              ? sum
              : calculate('+', left, right, machine)
          pc++
          continue
        }
        case Op.subtract: {
          const right = stack.pop() as Json
          const left = stack[stack.length - 1] as Json
          const difference = (left as number) - (right as number)
          stack[stack.length - 1] =
            typeof left === 'number' && typeof right === 'number' && difference <= EXACT && difference >= -EXACT
              ? difference
              : calculate('-', left, right, machine)
          pc++
          continue
        }
        case Op.less: {
          const right = stack.pop() as Json
          const left = stack[stack.length - 1] as Json
          if (typeof left === 'number' && typeof right === 'number') {
            stack[stack.length - 1] = left < right
            pc++
            continue
          }
          stack[stack.length - 1] = compareOrder(left, right, machine) < 0
          pc++
          steps -= takeSteps(machine)
          if (steps > 0) continue
          machine.stop = { kind: 'budget' }
          return
        }
        case Op.jump:
          pc = a
          break
        case Op.jumpIfFalse: {
          const value = stack.pop() as Json
          pc = value === true || (value !== false && isTrue(value, machine)) ? pc + 1 : a
          break
        }
        case Op.jumpIfTrue: {
          const value = stack.pop() as Json
          pc = value === true || (value !== false && isTrue(value, machine)) ? a : pc + 1
          break
        }
        case Op.drop:
          stack.pop()
          pc++
          continue
        case Op.end:
          machine.stop = { kind: 'done' }
          return
        default: {
          machine.pc = pc
          const counts = perform(machine, operations[pc] as number, a, second[pc] as number)
          pc = machine.pc
          if (machine.stop !== undefined) return
          if (counts) break
          if (machine.touched === 0) continue
          steps -= takeSteps(machine)
          if (steps > 0) continue
          machine.stop = { kind: 'budget' }
          return
        }
      }
      // Only what counts as a step comes here.
      steps--
      if (machine.touched !== 0) steps -= takeSteps(machine)
      if (timed || machine.deadline !== Number.POSITIVE_INFINITY) {
        machine.pc = pc
        if (checkDeadline(machine)) return
      }
      if (steps <= 0) {
        machine.stop = { kind: 'budget' }
        return
      }
    }
  } finally {
    machine.pc = pc
    budget.steps = steps
  }
}

/** The operations that are not in the loop. True: it counts as a step. Moves the machine's pc. */
function perform(machine: Machine, operation: number, a: number, b: number): boolean {
  const { stack } = machine
  switch (operation) {
    case Op.loadPath:
      stack.push(loadPath(machine, a, take(stack, b)))
      break
    case Op.storePath:
      storePath(machine, a, take(stack, b), stack.pop() as Json)
      machine.pc++
      return true
    case Op.loadModule:
      stack.push(getMember(machine, a))
      break
    case Op.storeModule:
      setMember(machine, a, stack.pop() as Json)
      machine.pc++
      return true
    case Op.storeModulePath:
      setMemberPath(machine, a, take(stack, b), stack.pop() as Json)
      machine.pc++
      return true
    case Op.index: {
      const key = stack.pop() as Json
      stack.push(getElement(stack.pop() as Json, key, machine))
      break
    }
    case Op.duplicate: {
      const value = stack[stack.length - 1] as Json
      disown(value, machine.owned)
      stack.push(value)
      break
    }
    case Op.array:
      stack.push(built(machine, take(stack, a)))
      break
    case Op.map:
      stack.push(built(machine, makeMap(machine.decoded.constants[a] as string[], stack)))
      break
    case Op.not:
      stack.push(!isTrue(stack.pop() as Json, machine))
      break
    case Op.and:
    case Op.or:
      if (isTrue(stack[stack.length - 1] as Json, machine) === (operation === Op.or)) {
        machine.pc = a
        return false
      }
      stack.pop()
      break
    case Op.enter:
      machine.scopes.push({ block: a, startedAt: machine.host.now() })
      machine.pc++
      updateDeadline(machine)
      return true
    case Op.leave:
      leave(machine, 1)
      machine.pc++
      return true
    case Op.exit:
      leave(machine, b)
      machine.pc = a
      return true
    case Op.goto:
      leave(machine, machine.scopes.length)
      machine.pc = a
      return true
    case Op.try:
      machine.attempts.push([a, stack.length])
      break
    case Op.endTry:
      machine.attempts.pop()
      stack[stack.length - 1] = true
      break
    case Op.lengthPath:
      stack.push(lengthPath(machine, a, take(stack, b)))
      break
    case Op.builtin:
      callBuiltin(machine, a)
      return true
    case Op.call:
      callHost(machine, a)
      return true
    default:
      return operation >= Op.add && operation <= Op.greaterOrEqual
        ? compute(machine, operation)
        : change(machine, operation, a, b)
  }
  machine.pc++
  return false
}

/** `append` and `pop`. */
function change(machine: Machine, operation: number, a: number, b: number): boolean {
  const { stack } = machine
  const operand = stack.pop() as Json
  switch (operation) {
    case Op.appendPath:
      appendPath(machine, a, take(stack, b), operand)
      stack.push(null)
      break
    case Op.popPath:
      stack.push(popPath(machine, a, take(stack, b), operand))
      break
    case Op.appendModule:
      appendMember(machine, a, take(stack, b), operand)
      stack.push(null)
      break
    case Op.popModule:
      stack.push(popMember(machine, a, take(stack, b), operand))
      break
    case Op.appendValue:
      // An array of no name, which nobody sees again.
      checkAppendable(stack.pop() as Json)
      stack.push(null)
      break
    case Op.popValue: {
      const array = stack.pop() as Json
      stack.push((array as Json[])[popPlace(array, operand)] as Json)
      break
    }
    default:
      throw new TScriptError('program-shape', `The program holds an operation ${operation}, which does not exist`)
  }
  machine.pc++
  return true
}

/** The operators. */
function compute(machine: Machine, operation: number): boolean {
  const { stack } = machine
  const right = stack.pop() as Json
  const left = stack.pop() as Json
  stack.push(operation === Op.join ? join(machine, left, right) : apply(machine, operation, left, right))
  machine.pc++
  return false
}

function apply(machine: Machine, operation: number, left: Json, right: Json): Json {
  switch (operation) {
    case Op.multiply:
      return calculate('*', left, right, machine)
    case Op.divide:
      return calculate('/', left, right, machine)
    case Op.modulo:
      return calculate('%', left, right, machine)
    case Op.power:
      return calculate('^', left, right, machine)
    case Op.bitAnd:
      return combineBits('&', left, right)
    case Op.bitOr:
      return combineBits('|', left, right)
    case Op.equal:
      return areEqual(left, right, machine)
    case Op.notEqual:
      return !areEqual(left, right, machine)
    case Op.lessOrEqual:
      return compareOrder(left, right, machine) <= 0
    case Op.greater:
      return compareOrder(left, right, machine) > 0
    default:
      return compareOrder(left, right, machine) >= 0
  }
}

/** The topmost values, in the order in which they were pushed. */
function take(stack: Json[], count: number): Json[] {
  return count === 0 ? [] : stack.splice(stack.length - count, count)
}

/** A new container of the program, measured. */
function built(machine: Machine, value: Json): Json {
  checkSize(value, machine)
  return value
}

function makeMap(keys: readonly string[], stack: Json[]): Json {
  const values = take(stack, keys.length)
  const map: { [key: string]: Json } = {}
  keys.forEach((key, at) => {
    setKey(map, writeKey(key), values[at] as Json)
  })
  return map
}

function leave(machine: Machine, count: number): void {
  if (count === 0) return
  machine.scopes.length -= count
  updateDeadline(machine)
}
