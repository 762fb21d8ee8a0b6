import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { App } from './environment.ts'

/** As Node's servers, express and connect call it. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void

/**
 * The app as a listener of Node's, to be mounted in a server of the host's: `express().use('/contractor', createListener(app))`.
 * What is before it may have read and parsed the body: then what it left in `body` is taken, and nothing is waited for.
 */
export function createListener(app: App): NodeListener {
  // The host's own Request and Response stay as they are.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request: ParsedRequest, response) => {
    // A property that the adapter knows, in place of the stream.
    if (request.readableDidRead) request.rawBody ??= toBytes(request.body)
    void listener(request, response)
  }
}

interface ParsedRequest extends IncomingMessage {
  body?: unknown
  rawBody?: Buffer
}

/** Who has read a body and left nothing of it is answered as one who has sent none. */
function toBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(body === undefined ? '' : JSON.stringify(body))
}
