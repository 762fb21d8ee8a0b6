import { ContractorError, type ErrorCode, type ErrorData } from '@contractor/contract'

export interface Connection {
  /** Where the server is, without `/api/v1`. */
  url: string
  /** A bearer token. */
  token: string
  /** In place of the platform's own. */
  fetch?: typeof globalThis.fetch
}

export interface Request {
  verb: string
  path: string
  query?: Readonly<Record<string, unknown>> | undefined
  body?: unknown
  contentType?: string
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal | undefined
}

/** Sends a request, and gives what came back. Throws SERVER_UNREACHABLE, and the engine's own error for a refusal. */
export async function send(
  { url, token, fetch = globalThis.fetch }: Connection,
  { verb, path, query = {}, body, contentType = 'application/json', headers = {}, signal }: Request,
): Promise<Response> {
  const base = url.replace(/\/+$/, '')
  const asked = new URL(`${base}/api/v1${path}`)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) asked.searchParams.set(name, String(value))
  let response: Response
  try {
    response = await fetch(asked, {
      method: verb.toUpperCase(),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'Content-Type': contentType }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw new ContractorError(
      'SERVER_UNREACHABLE',
      `No Contractor answers at ${base}: ${reasonOf(error)}`,
      { url: base },
      {
        cause: error,
        retryable: true,
      },
    )
  }
  if (response.ok) return response
  throw await refusalOf(response, base)
}

/** fetch says only that it failed; what its cause says. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || reasonOf(error.cause) : error.message
}

async function refusalOf(response: Response, url: string): Promise<ContractorError> {
  const text = await response.text()
  const problem = readProblem(text)
  if (!problem) {
    const message = `${url} answered ${response.status}, and not as a Contractor does: ${text.slice(0, 200)}`
    return new ContractorError('SERVER_UNREACHABLE', message, { url })
  }
  const retryable = response.status === 503
  return new ContractorError(problem.code as ErrorCode, problem.detail, (problem.data ?? {}) as ErrorData[ErrorCode], {
    retryable,
  })
}

function readProblem(text: string): { code: string; detail: string; data?: unknown } | undefined {
  try {
    const problem: unknown = JSON.parse(text)
    const isOurs = typeof problem === 'object' && problem !== null && 'code' in problem && 'detail' in problem
    return isOurs ? (problem as { code: string; detail: string }) : undefined
  } catch {
    return undefined
  }
}
