/**
 * A script's own mistake at run time. It never leaves the machine: it becomes a stop `aborted`, or the answer False of
 * `exists( … )`.
 */
export class Fault extends Error {
  /** Nobody sees where in the machine it was thrown, and noting that would cost more than all else about it. */
  constructor(message: string) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
  }
}
