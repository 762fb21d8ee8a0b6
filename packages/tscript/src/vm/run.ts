import type { Program } from '../program/program.ts'
import { resumeCall } from './call.ts'
import { decodeProgram } from './decode.ts'
import { execute } from './execute.ts'
import type { Host } from './host.ts'
import { checkDeadline, type Machine, restoreMachine, saveMachine, wait } from './machine.ts'
import { noteProgress } from './progress.ts'
import { checkOwner, type State } from './state.ts'

export interface RunOptions {
  /**
   * The budget of this run: about one step a statement, and further ones for what reads or copies large values. A run
   * exceeds it by one instruction at the most. Unlimited by default.
   */
  steps?: number
}

/**
 * Continues a program until its next stop and gives the new state; the one that is passed in is not changed.
 *
 * Going on behind a stop: after a pause or error( ) with what follows; after a failed, paused or pending call with that
 * call again; while a delay runs it waits on; done and aborted stay. A script's fault is a stop and never thrown. Throws a
 * TScriptError where program, state and release do not belong together, and whatever the host throws.
 */
export function run(program: Program, state: State, host: Host, options: RunOptions = {}): State {
  return advance(program, state, host, machine => {
    if (machine.pending) resumeCall(machine)
    execute(machine, options.steps ?? Number.POSITIVE_INFINITY)
  })
}

/** As `run`, but for a single instruction, or one more question about a pending call. Without a stop there is no `stop`. */
export function step(program: Program, state: State, host: Host): State {
  return advance(program, state, host, machine => {
    if (machine.pending) resumeCall(machine)
    else execute(machine, Number.POSITIVE_INFINITY, 1)
  })
}

function advance(program: Program, state: State, host: Host, go: (machine: Machine) => void): State {
  checkOwner(program, state)
  if (state.stop?.kind === 'done' || state.stop?.kind === 'aborted') return state
  const machine = restoreMachine(state, decodeProgram(program), host)
  noteProgress(machine, host.now())
  if (!checkDeadline(machine) && !isDelayed(machine)) go(machine)
  noteProgress(machine, host.now())
  return saveMachine(machine, state)
}

function isDelayed(machine: Machine): boolean {
  if (machine.delayedUntil === undefined) return false
  if (machine.host.now() < machine.delayedUntil) {
    wait(machine, machine.delayedUntil)
    return true
  }
  machine.delayedUntil = undefined
  return false
}
