import type { HandlerContext } from '../define-handlers.ts'

/** What a handler is given in a test: a signal that is never aborted, and nobody who listens; but for what is said. */
export function createHandlerContext(given: Partial<HandlerContext> = {}): HandlerContext {
  return {
    signal: new AbortController().signal,
    taskId: 1,
    callId: 'call-1',
    attempt: 1,
    progress: () => {},
    log: () => {},
    ...given,
  }
}
