import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** One attempt does not wait longer for an answer. */
const connectLimitMs = 5000

export async function waitForPort(
  { target, port, waitMs, delayMs }: { target: string; port: number; waitMs: number; delayMs: number },
  { signal }: { signal: AbortSignal },
): Promise<{ open: boolean; last: string }> {
  const deadline = performance.now() + waitMs
  for (;;) {
    signal.throwIfAborted()
    const left = deadline - performance.now()
    const last = await tryConnect(target, port, Math.min(connectLimitMs, Math.max(left, 500)), signal)
    if (last === undefined) return { open: true, last: '' }
    if (performance.now() + delayMs >= deadline) {
      await delay(Math.max(0, deadline - performance.now()), undefined, { signal })
      return { open: false, last }
    }
    await delay(delayMs, undefined, { signal })
  }
}

/** Nothing when the port accepts, else why not. */
function tryConnect(host: string, port: number, limitMs: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const timer = setTimeout(() => finish('no answer'), limitMs)
    const onAbort = () => {
      finish('aborted')
      reject(signal.reason)
    }
    const finish = (reason: string | undefined) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => finish(undefined))
    socket.once('error', (error: NodeJS.ErrnoException) => finish(reasons[error.code ?? ''] ?? error.message))
  })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the host name could not be looked up',
}
