import type { TaskName } from './anvil.ts'

/** The world outside: what was really done, whoever knows of it. */
export interface Ledger {
  /** Says whether the step refuses this time, and how. */
  refusal(step: string): 'retryable' | 'final' | undefined
  /** How a step will refuse, in this order, before it lets itself be done. */
  plan(step: string, refusals: readonly ('retryable' | 'final')[]): void
  enter(effect: Effect): void
  /** How often the effect of a call was had. */
  countOf(callId: string): number
  effects(): readonly Effect[]
}

export interface Effect {
  step: string
  callId: string
  task: TaskName
}

export function createLedger(): Ledger {
  const effects: Effect[] = []
  const refusals = new Map<string, ('retryable' | 'final')[]>()
  return {
    refusal: step => refusals.get(step)?.shift(),
    plan: (step, kinds) => refusals.set(step, [...kinds]),
    enter: effect => effects.push(effect),
    countOf: callId => effects.filter(one => one.callId === callId).length,
    effects: () => effects,
  }
}
