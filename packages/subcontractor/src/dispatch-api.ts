import { ContractorError, isContractorError } from '@contractor/plugin'
import type { Clock } from '@contractor/plugin/agent'
import {
  type AttachReply,
  type AttachRequest,
  attachReply,
  type ClaimReply,
  type ClaimRequest,
  type ClaimsReply,
  type ClaimsRequest,
  claimReply,
  claimsReply,
  type ReleaseRequest,
  type ResultsReply,
  type ResultsRequest,
  resultsReply,
  type ServicesReply,
  type ServicesRequest,
  servicesReply,
} from '@contractor/plugin/wire'
import type { z } from 'zod'
import { readAnswer, unreachable, version } from './read-answer.ts'

/**
 * The server's dispatch endpoints. Every call is one attempt. It rejects with
 * - SERVER_UNREACHABLE, retryable: no answer, one that is not the server's word, or one that may be another later;
 * - UNAUTHENTICATED, FORBIDDEN: the server's own word on the token;
 * - VALIDATION_FAILED: the server's own word on the body, of results and of what is handed back;
 * - the reason of `signal`, when that is aborted.
 * An answer that comes after the call was given up is not taken any more.
 */
export interface DispatchApi {
  claim(body: ClaimRequest, signal: AbortSignal): Promise<ClaimReply>
  sendResults(body: ResultsRequest, signal: AbortSignal): Promise<ResultsReply>
  renew(body: ClaimsRequest, signal: AbortSignal): Promise<ClaimsReply>
  release(body: ReleaseRequest, signal: AbortSignal): Promise<ClaimsReply>
  services(body: ServicesRequest, signal: AbortSignal): Promise<ServicesReply>
  /** Rejects with CLAIM_LOST too. */
  attach(body: AttachRequest, signal: AbortSignal): Promise<AttachReply>
}

export interface DispatchApiOptions {
  server: string
  token: string
  clock: Clock
  fetch: typeof fetch
}

/** What an answer may take beyond the time for which the server was allowed to hold it. */
const answerLimitMs = 15_000

export function createDispatchApi({ server, token, clock, fetch }: DispatchApiOptions): DispatchApi {
  const base = `${server.replace(/\/+$/, '')}/api/v1/dispatch/`

  async function post<T extends z.ZodType>(
    path: string,
    body: unknown,
    reply: T,
    signal: AbortSignal,
    heldMs = 0,
  ): Promise<z.output<T>> {
    signal.throwIfAborted()
    const url = base + path
    const limitMs = heldMs + answerLimitMs
    const attempt = new AbortController()
    const givenUp = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason), { once: true })
    })
    const onAbort = () => attempt.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const cancelLimit = clock.setTimer(limitMs, () => attempt.abort(new Error(`no answer within ${limitMs} ms`)))
    const exchange = async () => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: attempt.signal,
      })
      return readAnswer(response, await response.text(), reply, url)
    }
    try {
      // Also for a fetch that does not heed its signal: what it brings later is nobody's.
      return await Promise.race([exchange(), givenUp])
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ContractorError) throw error
      throw unreachable(url, networkReason(error), error)
    } finally {
      cancelLimit()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** No handler has a part in these bodies: a server that does not take one is of another version, and may be replaced. */
  function notUnderstood(error: unknown): never {
    if (!isContractorError(error, 'VALIDATION_FAILED')) throw error
    throw unreachable(base, `${error.message}; ${version}?`, error)
  }

  return {
    claim: (body, signal) => post('claim', body, claimReply, signal, body.waitMs).catch(notUnderstood),
    sendResults: (body, signal) => post('results', body, resultsReply, signal),
    renew: (body, signal) => post('renew', body, claimsReply, signal).catch(notUnderstood),
    services: (body, signal) => post('services', body, servicesReply, signal).catch(notUnderstood),
    attach: (body, signal) => post('attach', body, attachReply, signal),
    release: (body, signal) => post('release', body, claimsReply, signal),
  }
}

/** fetch says "fetch failed" and keeps the reason in the cause. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const { code } = cause as NodeJS.ErrnoException
  return cause.message || code || error.message
}
