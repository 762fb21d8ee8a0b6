import { createHash } from 'node:crypto'
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
    attach: async (name, content, { contentType = 'text/plain' } = {}) => {
      let sizeBytes = 0
      const digest = createHash('sha256')
      const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content
      for await (const part of parts) {
        const bytes = Buffer.from(part as Uint8Array)
        sizeBytes += bytes.length
        digest.update(bytes)
      }
      return { attachment: 1, name, contentType, sizeBytes, sha256: digest.digest('hex') }
    },
    ...given,
  }
}
