import { STRIDE } from '../program/instruction-set.ts'
import type { BlockSite, Program } from '../program/program.ts'
import type { Scope, State, Stop } from './state.ts'

/*
 * How far a program is. A block weighs its expected_time in seconds; without one, what is in it: each block in it, and one
 * second for each five instructions of its own. Its own share is spread over its instructions. Of a running block that is
 * expected to take a time, the share of that time that has passed counts too, up to 95 %, so that a long wait is seen to
 * advance. What was once reached is kept: a loop that goes back does not take progress back.
 */

const INSTRUCTIONS_PER_SECOND = 5
const MOST_BY_TIME = 0.95

/** Of a block, or of the whole program. */
export interface Extent {
  /** Seconds. */
  weight: number
  /** Seconds' worth that is done. */
  done: number
}

/** Where a program stands. */
export interface Place {
  pc: number
  scopes: readonly Scope[]
}

export interface Running {
  decoded: { program: Program }
  pc: number
  scopes: readonly Scope[]
  stop: Stop | undefined
  progress: number
}

/** Raises the progress of a running program to where it stands. */
export function noteProgress(running: Running, now: number): void {
  running.progress = Math.max(running.progress, progressOf(running.decoded.program, running, now))
}

/** 0 to 99, and 100 at the end. */
export function progressOf(program: Program, at: Place & { stop?: Stop | undefined }, now: number): number {
  if (at.stop?.kind === 'done') return 100
  const { weight, done } = measure(program, at, now).whole
  return weight === 0 ? 0 : Math.min(99, Math.floor((done / weight) * 100))
}

interface Sum extends Extent {
  /** Instructions, and how many of them lie behind. */
  length: number
  passed: number
}

/** The extents of the whole program and of each block. A block stands behind the one around it, so one pass backwards does. */
export function measure(program: Program, at: Place, now: number): { whole: Extent; blocks: Extent[] } {
  const { blocks } = program
  const length = program.code.length / STRIDE
  const inside = (): Sum => ({ weight: 0, done: 0, length: 0, passed: 0 })
  const sums = blocks.map(inside)
  const root = inside()
  const started = new Map(at.scopes.map(scope => [scope.block, scope.startedAt]))
  for (let number = blocks.length - 1; number >= 0; number--) {
    const block = blocks[number] as BlockSite
    const sum = sums[number] as Sum
    close(sum, block, at.pc)
    const since = started.get(number)
    if (since !== undefined && block.expected) {
      sum.done = Math.max(sum.done, sum.weight * Math.min(MOST_BY_TIME, (now - since) / block.expected))
    }
    const around = block.parent === undefined ? root : (sums[block.parent] as Sum)
    around.weight += sum.weight
    around.done += sum.done
    around.length += sum.length
    around.passed += sum.passed
  }
  close(root, { from: 0, to: length, line: 1 }, at.pc)
  return { whole: root, blocks: sums }
}

/** Adds a block's own share to what the blocks in it come to. */
function close(sum: Sum, { from, to, expected }: BlockSite, pc: number): void {
  const length = to - from
  const passed = Math.max(0, Math.min(length, pc - from))
  const own = length - sum.length
  const share = Math.max(expected === undefined ? own / INSTRUCTIONS_PER_SECOND : expected - sum.weight, 0)
  sum.weight += share
  sum.done = Math.min(sum.weight, sum.done + (own === 0 ? 0 : (share * (passed - sum.passed)) / own))
  sum.length = length
  sum.passed = passed
}

/** What the progress of a program that waits in a call will be once that is over. */
export function progressAfterCall(program: Program, state: State, now: number): number {
  return Math.max(state.progress, progressOf(program, { pc: state.pc + 1, scopes: state.scopes }, now))
}
