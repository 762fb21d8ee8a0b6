import type { Victim } from './victim.ts'

/** Notes when nobody could have gone on: without a database, a server and an agent that are at work. */
export interface Pauses {
  /** Milliseconds since the epoch. */
  readonly moments: readonly number[]
  stop(): void
}

const everyMs = 100

export function notePauses(victims: readonly Victim[]): Pauses {
  const moments: number[] = []
  const timer = setInterval(() => {
    const isAnyAtWork = (kind: string) => victims.some(one => one.name.startsWith(kind) && one.isAtWork())
    if (!['postgres', 'server', 'agent'].every(isAnyAtWork)) moments.push(Date.now())
  }, everyMs)
  return { moments, stop: () => clearInterval(timer) }
}

/** The longest time between two of these moments, within a span. */
export function longestGapMs(moments: readonly number[], fromMs: number, toMs: number): number {
  const within = moments.filter(one => one > fromMs && one < toMs).sort((a, b) => a - b)
  return Math.round([...within, toMs].reduce((most, one, at) => Math.max(most, one - (within[at - 1] ?? fromMs)), 0))
}
