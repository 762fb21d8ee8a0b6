import { createState, type Host, type Json, type Program, run, type State } from '../src/index.ts'

/** A host without modules, whose clock stands where it is put. */
export function createStillHost(clock = { now: 0 }, more: Partial<Host> = {}): Host {
  return {
    now: () => clock.now,
    get: () => ({ error: 'no such value', missing: true }),
    set: () => ({ error: 'no such value' }),
    call: () => ({ kind: 'aborted', message: 'no such function' }),
    ...more,
  }
}

export interface Played {
  state: State
  outcome: string
  said: string[]
  variables: { [name: string]: Json }
}

/** Runs a program to its end, going on after every stop that can go on; `between` sees each state on its way. */
export function playToEnd(
  program: Program,
  host: Host,
  clock: { now: number },
  between: (state: State) => State = state => state,
): Played {
  const said: string[] = []
  let state = createState(program)
  for (let runs = 0; runs < 500; runs++) {
    state = between(run(program, state, host, { steps: 20_000 }))
    const { stop } = state
    if (stop && 'message' in stop && stop.message !== undefined && stop.kind !== 'aborted') said.push(stop.message)
    if (stop?.kind === 'waiting') clock.now = stop.wakeAt ?? clock.now
    if (stop?.kind === 'done' || stop?.kind === 'aborted') break
  }
  return { state, outcome: state.stop?.kind ?? 'none', said, variables: state.variables }
}
