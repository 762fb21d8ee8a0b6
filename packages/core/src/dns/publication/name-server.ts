import { connect, type Socket } from 'node:net'
import { ContractorError } from '@contractor/contract'
import { createVerifier, type Signed } from './tsig.ts'
import type { TsigKey } from './tsig-key.ts'

const timeoutMs = 15_000

/** A connection to a name server, over TCP: updates and zones are long. */
export interface NameServer {
  /** Sends a request and gives the messages of the answer, each checked, until `isLast` says so. */
  ask(request: Signed, isLast: (message: Buffer) => boolean): Promise<void>
  close(): void
}

/** Where a name server is: HOST, HOST:PORT or [IPv6]:PORT. */
export function parseServer(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain ?? (/^[0-9a-fA-F:.]+$/.test(text) ? text : undefined)
  const port = Number(digits ?? 53)
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port }
  throw new ContractorError(
    'VALIDATION_FAILED',
    `'${text}' is no name server: HOST, HOST:PORT or [IPv6]:PORT is needed`,
    {
      issues: [{ path: 'server', message: 'must be HOST, HOST:PORT or [IPv6]:PORT' }],
    },
  )
}

/** Connects. Throws SERVER_UNREACHABLE, then and whenever the connection ends before the answer does. */
export async function openNameServer(server: string, key: TsigKey, time: () => number): Promise<NameServer> {
  const { host, port } = parseServer(server)
  const unreachable = (why: string) =>
    new ContractorError(
      'SERVER_UNREACHABLE',
      `The name server ${server} cannot be reached over TCP: ${why}`,
      { url: `dns://${server}` },
      { retryable: true },
    )
  const socket = connect({ host, port })
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
  const messages = readMessages(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', error => reject(unreachable(error.message || String((error as NodeJS.ErrnoException).code))))
  })
  return {
    async ask(request, isLast) {
      const verifier = createVerifier(key, request, time)
      socket.write(Buffer.concat([Buffer.from([request.bytes.length >> 8, request.bytes.length & 255]), request.bytes]))
      for (;;) {
        const next = await messages.next().catch((error: Error) => {
          throw unreachable(error.message)
        })
        if (next.done) throw unreachable('it ended the connection before it had answered')
        verifier.verify(next.value)
        if (isLast(next.value)) return verifier.end()
      }
    },
    close: () => socket.destroy(),
  }
}

/** Each message comes behind its length (RFC 1035, section 4.2.2). */
async function* readMessages(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let pending = Buffer.alloc(0)
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk as Buffer])
    for (;;) {
      const end = pending.length < 2 ? Number.POSITIVE_INFINITY : 2 + pending.readUInt16BE(0)
      if (pending.length < end) break
      yield pending.subarray(2, end)
      pending = pending.subarray(end)
    }
  }
  return undefined
}
