/** Where a command reads and writes; the process's own streams, or a test's. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  input: NodeJS.ReadableStream
  /** Seconds since the epoch. */
  now(): number
}

/** 0: fine; 1: it found errors; 2: it was called wrongly. */
export type ExitCode = 0 | 1 | 2
