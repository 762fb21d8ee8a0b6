import { type Event, isContractorError } from '@contractor/contract'
import { type Connection, send } from './send.ts'

export interface WatchOptions {
  after?: string
  job?: number
  signal?: AbortSignal
}

/** How long to wait before a stream that was cut is opened again: longer and longer, in milliseconds. */
const pauses = [250, 500, 1000, 2000, 5000]

/**
 * What happens, as it happens (server-sent events, WHATWG HTML, section 9.2). A stream that is cut goes on where it was, by the cursor of the
 * last event; a refusal is thrown, unless the server only was not there.
 */
export async function* watchEvents(
  connection: Connection,
  { after, job, signal }: WatchOptions,
): AsyncGenerator<Event> {
  let last = after
  for (let failures = 0; !signal?.aborted; failures++) {
    try {
      const headers = { Accept: 'text/event-stream', ...(last !== undefined && { 'Last-Event-ID': last }) }
      const response = await send(connection, {
        verb: 'get',
        path: '/events',
        query: { after: last, job },
        headers,
        signal,
      })
      for await (const event of readStream(response)) {
        last = event.cursor
        failures = 0
        yield event
      }
    } catch (error) {
      if (signal?.aborted) return
      const isAway = isContractorError(error, 'SERVER_UNREACHABLE') || (isContractorError(error) && error.retryable)
      if (isContractorError(error) && !isAway) throw error
    }
    await pause(pauses[Math.min(failures, pauses.length - 1)] as number, signal)
  }
}

async function* readStream(response: Response): AsyncGenerator<Event> {
  const decoder = new TextDecoder()
  let text = ''
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block.split('\n').flatMap(line => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
        if (data.length) yield JSON.parse(data.join('\n')) as Event
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>(resolve => {
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
