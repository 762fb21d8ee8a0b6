/** What may happen to an engine between a statement and its answer. */
export type FaultKind =
  /** The process dies while a transaction is open, or as it is about to commit: nothing of it stays. */
  | 'crash in a transaction'
  | 'crash before a commit'
  /** The process dies when the commit has happened, and before anybody is told. */
  | 'crash after a commit'
  /** The connection breaks; the process lives on. */
  | 'disconnect before a commit'
  | 'disconnect after a commit'
  /** PostgreSQL ends the transaction to break a deadlock: the engine is to run it again. */
  | 'deadlock'

/** A fault that is to happen at the gate with this number, counted from 0 among those that it can happen at. */
export interface Fault {
  kind: FaultKind
  at: number
}

export class InjectedFault extends Error {
  /** As PostgreSQL names what went wrong, where it is PostgreSQL that is played. */
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

const deadlockDetected = '40P01'
/** As postgres.js says that its connection has broken. */
const connectionClosed = 'CONNECTION_CLOSED'

export const injected = (kind: FaultKind) =>
  new InjectedFault(`Injected: ${kind}`, kind === 'deadlock' ? deadlockDetected : connectionClosed)

export const isCrash = (kind: FaultKind) => kind.startsWith('crash')

/** Whether an error is one of ours, however deeply the driver or drizzle has wrapped it. */
export function isInjected(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) if (error instanceof InjectedFault) return true
  return false
}
