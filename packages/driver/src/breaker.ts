import { deviceError } from './device-error.ts'

/**
 * A circuit breaker for each device: one that has not answered several times in a row is left alone for a while, so that a
 * hundred Jobs do not each wait for its silence; then one of them tries. What is counted is of this process and is forgotten
 * with it: it spares time, and nothing stands on it.
 */
export interface Breaker {
  /** Runs what asks the device; throws DEVICE_UNREACHABLE at once, with when to come back, while it is left alone. */
  guard<T>(device: string, run: () => Promise<T>): Promise<T>
}

export interface BreakerOptions {
  /** After how many failures in a row; 3 unless said. */
  failures?: number
  /** How long it is left alone at first, in milliseconds: 10 s unless said, and twice that after each try, up to `mostMs`, 5 minutes. */
  openMs?: number
  mostMs?: number
  /** Whether a failure counts: that of a device that answers does not. Unless said, what is unreachable or takes too long. */
  counts?(error: unknown): boolean
  /** Milliseconds that only grow. */
  now?(): number
}

interface Circuit {
  failures: number
  openUntil: number
  /** One tries, after it was left alone. */
  isTried: boolean
}

export function createBreaker({
  failures: most = 3,
  openMs = 10_000,
  mostMs = 300_000,
  counts = isSilence,
  now = () => performance.now(),
}: BreakerOptions = {}): Breaker {
  const circuits = new Map<string, Circuit>()
  return {
    async guard(device, run) {
      const circuit = circuits.get(device)
      const isOpen = circuit !== undefined && circuit.failures >= most
      if (isOpen && (circuit.isTried || now() < circuit.openUntil)) {
        const leftMs = Math.max(1000, Math.ceil(circuit.openUntil - now()))
        const message = `it has not answered ${circuit.failures} times in a row, and is asked again in ${Math.ceil(leftMs / 1000)} s`
        throw deviceError('DEVICE_UNREACHABLE', device, message, { retryAfterMs: leftMs })
      }
      if (isOpen) circuit.isTried = true
      try {
        const value = await run()
        circuits.delete(device)
        return value
      } catch (error) {
        if (counts(error)) {
          const failures = (circuits.get(device)?.failures ?? 0) + 1
          const waitMs = Math.min(openMs * 2 ** Math.max(0, failures - most), mostMs)
          circuits.set(device, { failures, openUntil: now() + waitMs, isTried: false })
        } else if (circuit) circuit.isTried = false
        throw error
      }
    },
  }
}

function isSilence(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'DEVICE_UNREACHABLE' || code === 'DEVICE_TIMED_OUT'
}
