import { ContractorError } from '@contractor/plugin'
import { serverHeader } from '@contractor/plugin/wire'
import { z } from 'zod'

/**
 * Tells the server's word from that of others. Only an answer with the server's header, in the form that is agreed (the
 * reply's schema, or a problem of the server's own), is the server's word. Whatever else comes, a login page or the 403
 * of a proxy, says nothing but that the server is away: it ends no agent and drops no result.
 */
export function readAnswer<T extends z.ZodType>(response: Response, text: string, reply: T, url: string): z.output<T> {
  const { status, headers, ok } = response
  if (!headers.has(serverHeader))
    throw foreign(url, status, `${status} that is not from a Contractor server; ${address}`)
  const body = parseJson(text)
  if (ok) {
    const parsed = reply.safeParse(body)
    if (parsed.success) return parsed.data
  } else if (headers.get('content-type')?.startsWith('application/problem+json')) {
    const parsed = problem.safeParse(body)
    if (parsed.success) throw refusalOf(status, parsed.data, url)
  }
  throw foreign(url, status, `${status} in a form that is not agreed; ${version}, or does a proxy stand in between?`)
}

/** Nobody is there whom the agent can talk to; later may do. */
export function unreachable(url: string, reason: string, cause?: unknown): ContractorError<'SERVER_UNREACHABLE'> {
  return new ContractorError(
    'SERVER_UNREACHABLE',
    `Cannot talk to ${url}: ${reason}`,
    { url },
    { retryable: true, cause },
  )
}

/** The status of an answer that was not the server's word; undefined for every other error. */
export function foreignStatus(error: unknown): number | undefined {
  return error instanceof Error && error.cause instanceof ForeignAnswer ? error.cause.status : undefined
}

/** To be added to what a server of the same version would not say. */
export const version = 'is the server older or newer than this agent'
const address = 'is this the address of a Contractor server, or does a proxy stand in between?'

const problem = z
  .object({ type: z.string(), code: z.string(), title: z.string().optional(), detail: z.string().optional() })
  .refine(({ type, code }) => type === `urn:contractor:error:${code}`)

class ForeignAnswer extends Error {
  readonly status: number

  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

function foreign(url: string, status: number, what: string): ContractorError {
  return unreachable(url, `it answers ${what}`, new ForeignAnswer(status))
}

function refusalOf(status: number, { code, title, detail }: z.output<typeof problem>, url: string): ContractorError {
  const answer = `${status}: ${detail ?? title ?? code}`
  if (status === 401 && code === 'UNAUTHENTICATED') {
    return new ContractorError(
      'UNAUTHENTICATED',
      `The server ${url} does not know this agent's token (${answer}): create a token for this agent, and start it with that`,
      {},
    )
  }
  if (status === 403 && code === 'FORBIDDEN') {
    return new ContractorError(
      'FORBIDDEN',
      `This agent's token does not allow what it asks of ${url} (${answer}): give the token the modules of this agent`,
      { needs: 'agent' },
    )
  }
  if ((status === 400 || status === 413 || status === 422) && code === 'VALIDATION_FAILED')
    return new ContractorError('VALIDATION_FAILED', `The server ${url} refuses the message (${answer})`, { issues: [] })
  if (status === 409 && code === 'CLAIM_LOST')
    return new ContractorError('CLAIM_LOST', `The server ${url} has given the Task to another agent (${answer})`, {
      taskId: 0,
    })
  if (status === 404 && code === 'NOT_FOUND')
    return unreachable(url, `the server has no such endpoint (${answer}); ${version}?`)
  return unreachable(url, `it answers ${answer}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
