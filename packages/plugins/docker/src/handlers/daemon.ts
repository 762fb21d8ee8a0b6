import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { ContractorError } from '@contractor/plugin'
import Docker from 'dockerode'
import type { Connection } from '../connection.ts'

/** How long the daemon may take to answer, where nothing else is said, in milliseconds. */
const answerMs = 60_000
const breaker = createBreaker()

/** A Docker daemon, by its Engine API. Errors are coded, with the daemon's own words. */
export interface Daemon {
  readonly api: Docker
  readonly name: string
  /** Asks it; `timeoutMs` is how long that may take. */
  ask<T>(call: (signal: AbortSignal) => Promise<T>, timeoutMs?: number): Promise<T>
}

export function openDaemon({ host, ca, cert, key }: Connection, { signal }: { signal: AbortSignal }): Daemon {
  const name = `Docker ${host}`
  return {
    api: new Docker(optionsOf(host, ca, cert, key)),
    name,
    ask: (call, timeoutMs = answerMs) =>
      breaker.guard(name, async () => {
        const limit = AbortSignal.timeout(timeoutMs)
        try {
          return await call(AbortSignal.any([signal, limit]))
        } catch (error) {
          signal.throwIfAborted()
          if (limit.aborted) {
            throw deviceError('DEVICE_TIMED_OUT', name, `it has not answered within ${timeoutMs / 1000} s`)
          }
          throw toDeviceError(name, error)
        }
      }),
  }
}

function optionsOf(host: string, ca: string | null, cert: string | null, key: string | null): Docker.DockerOptions {
  const [, path] = /^unix:\/\/(.+)$/.exec(host) ?? []
  if (path !== undefined) return { socketPath: path }
  const [, name = '', port = ''] = /^tcp:\/\/(.+):(\d+)$/.exec(host) ?? []
  return {
    ...{ host: name.replace(/^\[|\]$/g, ''), port: Number(port), protocol: ca === null ? 'http' : 'https' },
    ...(ca !== null && { ca }),
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
  }
}

/** What dockerode throws: an answer's status with the daemon's message, or the socket's own error. */
interface DockerFailure {
  statusCode?: number
  json?: { message?: string }
  code?: string
  message?: string
}

export function toDeviceError(device: string, thrown: unknown): unknown {
  if (thrown instanceof ContractorError) return thrown
  const { statusCode, json, code = '', message = String(thrown) } = (thrown ?? {}) as DockerFailure
  const words = (json?.message ?? message).trim()
  if (statusCode === undefined) return toConnectionError(device, code, words, thrown)
  if (/no space left/i.test(words)) return deviceError('DEVICE_FULL', device, words)
  if (statusCode === 401 || statusCode === 403 || /unauthorized|authentication required|denied/i.test(words))
    return deviceError('DEVICE_UNAUTHENTICATED', device, words)
  if (statusCode === 404) return new ContractorError('NOT_FOUND', `${device}: ${words}`, { kind: 'container', id: '' })
  if (statusCode === 409)
    return new ContractorError('ALREADY_EXISTS', `${device}: ${words}`, { kind: 'container', id: '' })
  if (statusCode === 501) return deviceError('DEVICE_UNSUPPORTED', device, words)
  if (statusCode === 503 || statusCode === 429) return deviceError('DEVICE_BUSY', device, words)
  return deviceError('DEVICE_REFUSED', device, words)
}

function toConnectionError(device: string, code: string, words: string, cause: unknown) {
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|TLS|SSL/i.test(code) || /certificate/i.test(words))
    return deviceError('DEVICE_UNTRUSTED', device, `its certificate is not one that docker_ca vouches for (${words})`, {
      cause,
    })
  if (code === 'EACCES') {
    const remedy = 'the agent may not use its socket: let its user into the group docker'
    return deviceError('DEVICE_REFUSED', device, `${remedy} (${words})`, { cause })
  }
  if (/^E[A-Z]+$/.test(code))
    return deviceError('DEVICE_UNREACHABLE', device, `nothing answers there (${words})`, { cause })
  return deviceError('DEVICE_ANSWER_INVALID', device, `its answer cannot be read (${words})`, { cause })
}
