import {
  type ClaimReply,
  type ClaimRequest,
  type ClaimsReply,
  type ClaimsRequest,
  ContractorError,
  claimReply,
  claimsReply,
  type ReleaseRequest,
  type ResultsReply,
  type ResultsRequest,
  resultsReply,
} from '@contractor/core/plugin'
import { z } from 'zod'
import type { Clock } from './clock.ts'

/**
 * The server's dispatch endpoints. Every call is one attempt. It rejects with
 * - SERVER_UNREACHABLE, retryable: no answer, or one that says that later may do (5xx, 429), or none of a Contractor;
 * - SERVER_UNREACHABLE, not retryable: an answer that will not change (404, a redirect);
 * - UNAUTHENTICATED (401), FORBIDDEN (403): the token; VALIDATION_FAILED (400, 413, 422): the body;
 * - the reason of `signal`, when that is aborted.
 */
export interface DispatchApi {
  claim(body: ClaimRequest, signal: AbortSignal): Promise<ClaimReply>
  sendResults(body: ResultsRequest, signal: AbortSignal): Promise<ResultsReply>
  renew(body: ClaimsRequest, signal: AbortSignal): Promise<ClaimsReply>
  release(body: ReleaseRequest, signal: AbortSignal): Promise<ClaimsReply>
}

export interface DispatchApiOptions {
  server: string
  token: string
  clock: Clock
  fetch: typeof fetch
}

/** What an answer may take beyond the time for which the server was allowed to hold it. */
const answerLimitMs = 15_000

const problem = z.object({ code: z.string().optional(), title: z.string().optional(), detail: z.string().optional() })

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
    const onAbort = () => attempt.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const cancelLimit = clock.setTimer(limitMs, () => attempt.abort(new Error(`no answer within ${limitMs} ms`)))
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: attempt.signal,
      })
      const text = await response.text()
      if (!response.ok) throw refusalOf(response.status, text, url)
      const parsed = reply.safeParse(parseJson(text))
      if (parsed.success) return parsed.data
      throw unreachable(url, 'its answer is none of a Contractor server', true, parsed.error)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ContractorError) throw error
      throw unreachable(url, networkReason(error), true, error)
    } finally {
      cancelLimit()
      signal.removeEventListener('abort', onAbort)
    }
  }

  return {
    claim: (body, signal) => post('claim', body, claimReply, signal, body.waitMs),
    sendResults: (body, signal) => post('results', body, resultsReply, signal),
    renew: (body, signal) => post('renew', body, claimsReply, signal),
    release: (body, signal) => post('release', body, claimsReply, signal),
  }
}

function refusalOf(status: number, text: string, url: string): ContractorError {
  const parsed = problem.safeParse(parseJson(text))
  const said = parsed.success ? (parsed.data.detail ?? parsed.data.title) : undefined
  const answer = said ? `${status}: ${said}` : `status ${status}`
  if (status === 401) {
    return new ContractorError(
      'UNAUTHENTICATED',
      `The server ${url} does not know this agent's token (${answer}): create a token for this agent, and start it with that`,
      {},
    )
  }
  if (status === 403) {
    return new ContractorError(
      'FORBIDDEN',
      `This agent's token does not allow what it asks of ${url} (${answer}): give the token the modules of this agent`,
      { needs: 'agent' },
    )
  }
  if (status === 400 || status === 413 || status === 422)
    return new ContractorError('VALIDATION_FAILED', `The server ${url} refuses the message (${answer})`, { issues: [] })
  if (status >= 500 || status === 429 || status === 408) return unreachable(url, `it answers ${answer}`, true)
  return unreachable(url, `it answers ${answer}; is this the address of a Contractor server?`, false)
}

function unreachable(url: string, reason: string, retryable: boolean, cause?: unknown): ContractorError {
  return new ContractorError('SERVER_UNREACHABLE', `Cannot talk to ${url}: ${reason}`, { url }, { retryable, cause })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
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
