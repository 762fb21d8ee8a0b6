import { TScriptError } from '../errors.ts'
import type { Json } from '../json.ts'
import { VERSION } from '../program/instruction-set.ts'
import type { Program } from '../program/program.ts'
import { checksumOf } from './checksum.ts'
import type { PendingCall } from './host.ts'

/** Why a run ended. `line` and `column` are those of the statement that stopped it. */
export type Stop =
  | { kind: 'done' }
  | { kind: 'paused' | 'error' | 'aborted'; message: string; line: number; column: number }
  | {
      kind: 'waiting'
      message?: string
      line: number
      column: number
      /** Seconds since the epoch: run again then. Absent: when something arrives. */
      wakeAt?: number
    }
  | { kind: 'budget' }

/** A block that was entered and not yet left. */
export interface Scope {
  /** Its number in the program. */
  block: number
  /** Seconds since the epoch. */
  startedAt: number
  /** Its max_time has passed and was reported. */
  overrun?: true
}

/** The whole state of a running program: plain JSON, a few hundred bytes and its variables. */
export interface State {
  version: number
  /** The id of the program that it belongs to. */
  program: string
  /** The next instruction; while a call is pending, the one that called. */
  pc: number
  stack: Json[]
  variables: { [name: string]: Json }
  scopes: Scope[]
  /** Open `exists( … )`: where a fault leads, and the height of the stack there. */
  attempts?: [target: number, height: number][]
  pending?: PendingCall
  /** A delay runs until then, seconds since the epoch. */
  delayedUntil?: number
  stop?: Stop
  /** The highest progress so far, 0 to 100. */
  progress: number
  /** Seconds since the epoch; absent before the first run. */
  startedAt?: number
  /** Seconds since the epoch of the latest stop. */
  stoppedAt?: number
  /** Over all of the above, whatever the order of keys: a state that was cut or changed is not continued. */
  checksum: string
}

export function createState(program: Program): State {
  return sealState({ version: VERSION, program: program.id, pc: 0, stack: [], variables: {}, scopes: [], progress: 0 })
}

export function sealState(state: Omit<State, 'checksum'>): State {
  return { ...state, checksum: checksumOf(state) }
}

/**
 * Replaces the host's state of the pending call, so that the next run goes on with it; null calls anew.
 * Throws a TScriptError `no-pending-call` where no call is pending.
 */
export function withPendingState(state: State, pendingState: Json): State {
  if (!state.pending) throw new TScriptError('no-pending-call', 'This state has no pending call')
  const { checksum: _, ...rest } = state
  return sealState({ ...rest, pending: { ...state.pending, state: pendingState } })
}

/** Throws a TScriptError where the versions or the program do not fit. */
export function checkOwner(program: Program, state: State): void {
  if (program.version !== VERSION)
    throw new TScriptError(
      'program-version',
      `This release runs programs of version ${VERSION}; this one has version ${String(program.version)}`,
    )
  if (state.version !== VERSION)
    throw new TScriptError(
      'state-version',
      `This release continues states of version ${VERSION}; this one has version ${String(state.version)}`,
    )
  if (state.program !== program.id)
    throw new TScriptError(
      'state-foreign',
      `This state belongs to the program ${String(state.program)}, not to ${program.id}`,
    )
}
