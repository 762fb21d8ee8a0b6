import { Resolver } from 'node:dns/promises'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'

/** How long one look waits for an answer, in milliseconds. */
const answerMs = 10_000
/** Of an answer, what is looked at, in bytes. */
const mostBytes = 1 << 20

type Looked<Name extends 'http_check' | 'dns_check'> = z.output<(typeof tasks)[Name]['result']>

export async function checkHttp(
  { url, status, contains }: z.output<(typeof tasks)['http_check']['params']>,
  { signal }: { signal: AbortSignal },
): Promise<Looked<'http_check'>> {
  try {
    const response = await fetch(url, {
      ...{ redirect: 'manual', headers: { 'User-Agent': 'contractor' } },
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    })
    const text = contains === null ? '' : await beginningOf(response)
    await response.body?.cancel().catch(() => undefined)
    if (response.status !== status) return { good: false, seen: `it answers ${response.status}` }
    const isThere = contains === null || text.includes(contains)
    return isThere ? { good: true, seen: '' } : { good: false, seen: 'its answer does not contain what it should' }
  } catch (error) {
    signal.throwIfAborted()
    const { cause, message, name } = error as Error & { cause?: Error & { code?: string } }
    return { good: false, seen: name === 'TimeoutError' ? 'no answer' : cause?.message || cause?.code || message }
  }
}

async function beginningOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    parts.push(part)
    bytes += part.length
    if (bytes >= mostBytes) break
  }
  return Buffer.concat(parts).toString('utf8')
}

export async function checkDns(
  { name, type, server }: z.output<(typeof tasks)['dns_check']['params']>,
  { signal }: { signal: AbortSignal },
): Promise<Looked<'dns_check'>> {
  const resolver = new Resolver({ timeout: 3000, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    if (server !== null) resolver.setServers([server])
    const found = (await resolver.resolve(name, type)) as unknown as unknown[]
    return { records: found.map(toText).sort(), seen: '' }
  } catch (error) {
    signal.throwIfAborted()
    const { code, message } = error as NodeJS.ErrnoException
    return { records: [], seen: (code && reasons[code]) ?? message }
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** As zone files write it. */
function toText(record: unknown): string {
  if (typeof record === 'string') return record
  if (Array.isArray(record)) return record.join('')
  return Object.entries(record as object)
    .filter(([name]) => name !== 'type')
    .map(([, value]) => value)
    .join(' ')
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'it has no such records',
  ETIMEOUT: 'no answer',
  ECONNREFUSED: 'no name server answers',
  ESERVFAIL: 'the name server has failed',
  EREFUSED: 'the name server refuses',
  ECANCELLED: 'aborted',
}
