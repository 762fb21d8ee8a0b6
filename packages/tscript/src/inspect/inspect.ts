import type { Json } from '../json.ts'
import type { BlockSite, Program } from '../program/program.ts'
import { maskSecrets } from '../value/text.ts'
import type { PendingCall } from '../vm/host.ts'
import { type Extent, measure, progressOf } from '../vm/progress.ts'
import { checkOwner, type Scope, type State } from '../vm/state.ts'

/** A block of the program and how far it is; those inside it in the order of the program. */
export interface BlockProgress {
  description?: string
  line: number
  status: 'ahead' | 'running' | 'done'
  /** 0 to 100. */
  percent: number
  /** Since it was entered; only while it runs. */
  elapsedSeconds?: number
  expectedSeconds?: number
  maxSeconds?: number
  /** Only while it runs, where an expected_time is given; never below zero. */
  remainingSeconds?: number
  blocks: BlockProgress[]
}

/** What an operator may see of a program: secrets are `***`. */
export interface Inspection {
  line: number
  variables: { [name: string]: Json }
  /** The blocks of the outermost level. */
  blocks: BlockProgress[]
  pending?: PendingCall
  /** 0 to 100, never going back, 100 at the end. */
  progress: number
  /** Since the first run, until now or until the end. */
  elapsedSeconds: number
  /** Where an expected_time is given: what of all of them is left. */
  remainingSeconds?: number
}

/** `now` in seconds since the epoch. */
export function inspect(program: Program, state: State, now: number): Inspection {
  checkOwner(program, state)
  const over = state.stop?.kind === 'done' || state.stop?.kind === 'aborted'
  const moment = over ? (state.stoppedAt ?? now) : now
  const { whole, blocks } = measure(program, state, moment)
  const remaining = remainingOf(program, state, whole)
  return {
    line: program.positions[state.pc * 2] ?? 1,
    variables: maskMap(state.variables),
    blocks: treeOf(
      program,
      program.blocks.map((block, number) => blockProgress(block, number, blocks[number] as Extent, state, moment)),
    ),
    ...(state.pending ? { pending: maskPending(state.pending) } : {}),
    progress: Math.max(state.progress, progressOf(program, state, moment)),
    elapsedSeconds: state.startedAt === undefined ? 0 : Math.max(0, moment - state.startedAt),
    ...(remaining === undefined ? {} : { remainingSeconds: remaining }),
  }
}

function maskMap(map: { [name: string]: Json }): { [name: string]: Json } {
  return maskSecrets(map) as { [name: string]: Json }
}

function maskPending(pending: PendingCall): PendingCall {
  return { ...pending, arguments: maskMap(pending.arguments), state: maskSecrets(pending.state) }
}

/** Puts each block into the one around it. */
function treeOf(program: Program, blocks: BlockProgress[]): BlockProgress[] {
  const top: BlockProgress[] = []
  program.blocks.forEach(({ parent }, number) => {
    const list = parent === undefined ? top : (blocks[parent] as BlockProgress).blocks
    list.push(blocks[number] as BlockProgress)
  })
  return top
}

function blockProgress(
  block: BlockSite,
  number: number,
  { weight, done }: Extent,
  state: State,
  now: number,
): BlockProgress {
  const scope = state.scopes.find(running => running.block === number)
  const status = scope ? 'running' : state.pc >= block.to || state.stop?.kind === 'done' ? 'done' : 'ahead'
  const share = weight === 0 ? 0 : Math.floor((done / weight) * 100)
  return {
    ...(block.description === undefined ? {} : { description: block.description }),
    line: block.line,
    status,
    percent: status === 'done' ? 100 : status === 'ahead' ? 0 : Math.min(99, share),
    ...(scope ? { elapsedSeconds: Math.max(0, now - scope.startedAt) } : {}),
    ...(block.expected === undefined ? {} : { expectedSeconds: block.expected }),
    ...(block.max === undefined ? {} : { maxSeconds: block.max }),
    ...(scope && block.expected !== undefined ? { remainingSeconds: leftOf(block.expected, scope, now) } : {}),
    blocks: [],
  }
}

function leftOf(expected: number, scope: Scope, now: number): number {
  return Math.max(0, expected - (now - scope.startedAt))
}

function remainingOf(program: Program, state: State, { weight, done }: Extent): number | undefined {
  if (program.blocks.every(block => block.expected === undefined)) return undefined
  return state.stop?.kind === 'done' ? 0 : Math.max(0, Math.round((weight - done) * 1000) / 1000)
}
