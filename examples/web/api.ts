import type { FoundationView, JobView, StructureView } from '@contractor/contract'

/** The few requests that the demo makes. Patient: while the server is away, it asks again. */
export interface Api {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  delete(path: string): Promise<void>
}

export interface List<T> {
  items: T[]
}

export type { FoundationView, JobView, StructureView }

/** The server's own refusal, with its code. */
export class ApiError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const patienceMs = 30_000

export function createApi(url: () => string, token: string): Api {
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const text = typeof body === 'string'
    const response = await patiently(() =>
      fetch(`${url()}/api/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'Content-Type': text ? 'application/toml' : 'application/json' }),
        },
        ...(body !== undefined && { body: text ? body : JSON.stringify(body) }),
      }),
    )
    if (response.status === 204) return undefined
    const reply = (await response.json()) as { code?: string; detail?: string }
    if (!response.ok)
      throw new ApiError(
        reply.code ?? String(response.status),
        `${method} ${path}: ${reply.detail ?? response.statusText}`,
      )
    return reply
  }
  return {
    get: async <T>(path: string) => (await send('GET', path)) as T,
    post: async <T>(path: string, body?: unknown) => (await send('POST', path, body)) as T,
    delete: async path => {
      await send('DELETE', path)
    },
  }
}

async function patiently(request: () => Promise<Response>): Promise<Response> {
  const until = performance.now() + patienceMs
  for (;;) {
    try {
      return await request()
    } catch (error) {
      // fetch throws only when there was no answer at all.
      if (performance.now() > until) throw error
      await pause(200)
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
