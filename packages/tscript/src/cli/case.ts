import { compile } from '../compile/compile.ts'
import type { Json } from '../json.ts'
import { maskSecrets } from '../value/text.ts'
import type { Host } from '../vm/host.ts'
import { run } from '../vm/run.ts'
import { createState, type State } from '../vm/state.ts'

/** What a case asks for: `resume` is how often the program is run again after a stop that can go on. */
export interface Case {
  id: string
  script: string
  resume: number
}

export interface CaseResult {
  id: string
  outcome: string
  message?: string
  line?: number
  column?: number
  variables: { [name: string]: Json }
}

export const CASE_STEPS = 100_000

/** Runs a case with the built-in functions only, on a clock of its own that stands still while the program runs. */
export function runCase({ id, script, resume }: Case): CaseResult {
  const compiled = compile(script)
  if (!compiled.ok) {
    const first = compiled.diagnostics.find(finding => finding.severity === 'error')
    return {
      id,
      outcome: 'rejected',
      ...(first && { message: first.message, line: first.line, column: first.column }),
      variables: {},
    }
  }
  const clock = { now: 0 }
  const host = createBareHost(() => clock.now)
  let state = run(compiled.program, createState(compiled.program), host, { steps: CASE_STEPS })
  for (let again = 0; again < resume && goesOn(state); again++) {
    clock.now = Math.max(clock.now, wakeTime(state))
    state = run(compiled.program, state, host, { steps: CASE_STEPS })
  }
  const { stop } = state
  const variables = maskSecrets(state.variables) as { [name: string]: Json }
  if (!stop || stop.kind === 'done' || stop.kind === 'budget') return { id, outcome: stop?.kind ?? 'budget', variables }
  return {
    id,
    outcome: stop.kind,
    ...(stop.message === undefined ? {} : { message: stop.message }),
    line: stop.line,
    column: stop.column,
    variables,
  }
}

function goesOn(state: State): boolean {
  return state.stop?.kind !== 'done' && state.stop?.kind !== 'aborted'
}

/** When a waiting program goes on by itself: at the end of its delay, even where a max_time would wake it sooner. */
function wakeTime(state: State): number {
  if (state.stop?.kind !== 'waiting') return 0
  return state.delayedUntil ?? state.stop.wakeAt ?? 0
}

/** A host without modules. */
export function createBareHost(now: () => number): Host {
  return {
    now,
    get: (module, name) => ({ error: `There is no module \`${module}\`, so no \`${module}.${name}\``, missing: true }),
    set: module => ({ error: `There is no module \`${module}\`` }),
    call: call => ({
      kind: 'aborted',
      message: `There is no module \`${call.module}\`, so no function \`${call.module}.${call.function}\``,
    }),
  }
}
