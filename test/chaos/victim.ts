/** Something that is killed and comes back: a program under a supervisor, or the database. */
export interface Victim {
  readonly name: string
  /** Whether there is a process to be killed. */
  isThere(): boolean
  /** SIGKILL; it is started again by itself. */
  kill(): void
  /** Ends it for good. */
  stop(): Promise<void>
}

/** How often each was killed, and how often it ended without being killed. */
export interface Tally {
  readonly kills: Record<string, number>
  readonly ends: Record<string, number>
}

export const createTally = (): Tally => ({ kills: {}, ends: {} })

export function tally(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
