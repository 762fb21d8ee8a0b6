import type { Json } from '../json.ts'
import type { Fault } from '../value/fault.ts'
import { FAULT } from '../value/meter.ts'
import { createScratch, type Scratch } from '../value/scratch.ts'
import { isWithin, MAX_TOTAL } from '../value/size.ts'
import { toDisplay } from '../value/text.ts'
import type { Decoded } from './decode.ts'
import type { Host, PendingCall } from './host.ts'
import { type Scope, type State, type Stop, sealState } from './state.ts'

/** A state while it runs. It lives for one run or step; all that must outlast it goes back into a State. */
export interface Machine extends Scratch {
  decoded: Decoded
  host: Host
  pc: number
  stack: Json[]
  /** Values by the number of their variable; undefined: not set. */
  slots: (Json | undefined)[]
  scopes: Scope[]
  attempts: [target: number, height: number][]
  pending: PendingCall | undefined
  delayedUntil: number | undefined
  stop: Stop | undefined
  progress: number
  startedAt: number
  /** The earliest moment, seconds since the epoch, behind which a block has run for too long; Infinity: none. */
  deadline: number
}

export function restoreMachine(state: State, decoded: Decoded, host: Host): Machine {
  const slots: (Json | undefined)[] = decoded.program.variables.map(name =>
    Object.hasOwn(state.variables, name) ? state.variables[name] : undefined,
  )
  const { owned, places } = createScratch()
  // Written out and not spread: JavaScript would keep the machine as a slow map of its fields.
  const machine: Machine = {
    decoded,
    host,
    pc: state.pc,
    stack: [...state.stack],
    slots,
    scopes: state.scopes.map(scope => ({ ...scope })),
    attempts: state.attempts?.map(attempt => [...attempt]) ?? [],
    pending: state.pending,
    delayedUntil: state.delayedUntil,
    stop: undefined,
    progress: state.progress,
    startedAt: state.startedAt ?? host.now(),
    deadline: Number.POSITIVE_INFINITY,
    touched: 0,
    owned,
    places,
  }
  updateDeadline(machine)
  return machine
}

/** The state of a machine that has stopped. `before` is what it was restored from. */
export function saveMachine(machine: Machine, before: State): State {
  if (!isWithin([...machine.slots.map(value => value ?? null), ...machine.stack], MAX_TOTAL))
    return abandon(machine, before)
  const { decoded, pc, stack, slots, scopes, attempts, pending, delayedUntil, stop, progress, startedAt } = machine
  const variables: { [name: string]: Json } = {}
  decoded.program.variables.forEach((name, slot) => {
    const value = slots[slot]
    if (value !== undefined) variables[name] = value
  })
  return sealState({
    version: decoded.program.version,
    program: decoded.program.id,
    pc,
    stack,
    variables,
    scopes,
    ...(attempts.length === 0 ? {} : { attempts }),
    ...(pending === undefined ? {} : { pending }),
    ...(delayedUntil === undefined ? {} : { delayedUntil }),
    ...(stop === undefined ? {} : { stop }),
    progress,
    startedAt,
    stoppedAt: machine.host.now(),
  })
}

/** Variables that are too large to be saved: the program is aborted with those that it had before this run. */
function abandon(machine: Machine, before: State): State {
  const { checksum: _, ...rest } = before
  const message = `The variables together have more than ${MAX_TOTAL} elements and characters`
  return sealState({ ...rest, stop: { kind: 'aborted', message, ...position(machine) }, stoppedAt: machine.host.now() })
}

export function updateDeadline(machine: Machine): void {
  const { blocks } = machine.decoded.program
  machine.deadline = Number.POSITIVE_INFINITY
  for (const scope of machine.scopes) {
    const max = blocks[scope.block]?.max
    if (max !== undefined && !scope.overrun) machine.deadline = Math.min(machine.deadline, scope.startedAt + max)
  }
}

/** Pauses where a block runs for longer than its max_time; each entry into a block is reported once. */
export function checkDeadline(machine: Machine): boolean {
  if (machine.deadline === Number.POSITIVE_INFINITY) return false
  const now = machine.host.now()
  if (now <= machine.deadline) return false
  const { blocks } = machine.decoded.program
  for (const scope of machine.scopes) {
    const max = blocks[scope.block]?.max
    if (max !== undefined && now > scope.startedAt + max) scope.overrun = true
  }
  updateDeadline(machine)
  machine.stop = { kind: 'paused', message: 'Max Time Elapsed', ...position(machine) }
  return true
}

export function position(machine: Machine): { line: number; column: number } {
  const { positions } = machine.decoded.program
  return { line: positions[machine.pc * 2] as number, column: positions[machine.pc * 2 + 1] as number }
}

/** Waits until `wakeAt`, or until a block's max_time has passed, whichever is sooner. */
export function wait(machine: Machine, wakeAt: number | undefined, message?: string): void {
  // A block may run for exactly its max_time, so one second behind it is soon enough to see that it has not ended.
  const limit = machine.deadline + 1
  const soonest = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, limit)
  machine.stop = {
    kind: 'waiting',
    ...position(machine),
    ...(message === undefined ? {} : { message }),
    ...(soonest === Number.POSITIVE_INFINITY ? {} : { wakeAt: soonest }),
  }
}

export function stopWith(machine: Machine, kind: 'paused' | 'error' | 'aborted', message: Json): void {
  machine.stop = { kind, message: toDisplay(message, machine), ...position(machine) }
}

/** What a fault does: exists( … ) answers False, and anything else aborts the program. */
export function takeFault(machine: Machine, fault: Fault): void {
  machine.touched += FAULT
  const attempt = machine.attempts.pop()
  if (!attempt) {
    stopWith(machine, 'aborted', fault.message)
    return
  }
  const [target, height] = attempt
  machine.stack.length = height
  machine.stack.push(false)
  machine.pc = target
}
