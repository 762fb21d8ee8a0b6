/** Something that is killed and comes back: a program under a supervisor, or the database. */
export interface Victim {
  readonly name: string
  /** Whether there is a process to be killed. */
  isThere(): boolean
  /** Whether it has also come so far that it does its work. */
  isAtWork(): boolean
  /** SIGKILL; it is started again by itself. */
  kill(): void
  /** An end in order, and a start after it; absent where that is no fault of its own kind. */
  restart?(): void
  /** Ends it for good. */
  stop(): Promise<void>
}

/**
 * How often each was killed or restarted, how often it ended without either, while it was at work or before it had come so far,
 * and what was answered instead of a success.
 */
export interface Tally {
  readonly kills: Record<string, number>
  readonly restarts: Record<string, number>
  readonly ends: Record<string, number>
  readonly vainStarts: Record<string, number>
  readonly refusals: Record<string, number>
}

export const createTally = (): Tally => ({ kills: {}, restarts: {}, ends: {}, vainStarts: {}, refusals: {} })

export function tally(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
