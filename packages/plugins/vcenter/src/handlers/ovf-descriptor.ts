import { connect } from 'node:tls'
import { deviceError } from '@contractor/driver'

/** More than this is no description, in bytes. */
const mostBytes = 8 << 20
const blockBytes = 512
const headersMs = 60_000

/** The description of an appliance, and where its disks are: members of one archive, or files beside it. */
export interface Descriptor {
  readonly text: string
  sourceOf(file: string): { url: string; memberName?: string }
}

/** Only the beginning of an archive is read: its description is the first of its members (DSP0243, section 5.3). */
export async function readDescriptor(url: string, signal: AbortSignal): Promise<Descriptor> {
  const response = await open(url, signal)
  const reader = createReader(url, response)
  try {
    if (!new URL(url).pathname.toLowerCase().endsWith('.ova')) {
      const text = await reader.all()
      return { text, sourceOf: file => ({ url: new URL(encodeURI(file), url).href }) }
    }
    for (;;) {
      const header = await reader.take(blockBytes)
      const name = header.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '')
      const size = Number.parseInt(header.subarray(124, 136).toString('latin1'), 8)
      if (!name || !Number.isFinite(size)) throw wrong(url, 'it is no archive with a description in front')
      const text = (await reader.take(Math.ceil(size / blockBytes) * blockBytes)).subarray(0, size).toString('utf8')
      if (name.toLowerCase().endsWith('.ovf')) return { text, sourceOf: memberName => ({ url, memberName }) }
    }
  } finally {
    await reader.end()
  }
}

/**
 * The SHA-1 of the certificate of a server by HTTPS, which this machine trusts: by it the hosts trust it too. Nothing for one that
 * speaks HTTP.
 */
export async function thumbprintOf(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'https:') return undefined
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port || 443), servername: host, timeout: headersMs })
    const end = () => socket.destroy()
    signal.addEventListener('abort', end, { once: true })
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().fingerprint)
      end()
    })
    socket.once('timeout', end)
    socket.once('error', reject)
    socket.once('close', () => reject(signal.reason ?? wrong(url, 'its certificate cannot be read')))
  })
}

async function open(url: string, signal: AbortSignal): Promise<Response> {
  const limit = AbortSignal.timeout(headersMs)
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, limit]) })
    if (response.ok) return response
    await response.body?.cancel()
    throw wrong(url, `its server answers ${response.status}`)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && error.name === 'ContractorError') throw error
    const { cause } = error as Error
    const words = cause instanceof Error ? cause.message : String(error)
    throw deviceError('DEVICE_UNREACHABLE', 'Appliance', `${url} cannot be read (${words})`, { cause: error })
  }
}

const wrong = (url: string, words: string) => deviceError('DEVICE_REFUSED', 'Appliance', `${url}: ${words}`)

function createReader(url: string, { body }: Response) {
  const stream = body?.getReader()
  let kept = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { value, done = true } = (await stream?.read()) ?? {}
    if (value) kept = Buffer.concat([kept, value])
    if (kept.length > mostBytes) throw wrong(url, `its description has more than ${mostBytes} bytes`)
    return !done
  }
  return {
    async take(bytes: number): Promise<Buffer> {
      if (bytes > mostBytes) throw wrong(url, 'it has no description in front')
      while (kept.length < bytes) if (!(await more()) && kept.length < bytes) throw wrong(url, 'it was cut short')
      const taken = kept.subarray(0, bytes)
      kept = kept.subarray(bytes)
      return taken
    },
    async all(): Promise<string> {
      while (await more());
      return kept.toString('utf8')
    },
    end: async () => {
      await stream?.cancel().catch(() => undefined)
    },
  }
}
