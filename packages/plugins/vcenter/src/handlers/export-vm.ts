import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { deviceError } from '@contractor/driver'
import type { HandlerContext } from '@contractor/plugin'
import type { Target } from '../tasks.ts'
import { getVm } from './find-vm.ts'
import { withLease } from './lease.ts'
import { refXml, type Vim } from './vim.ts'
import { at, type Node, textOf, type XmlObject } from './xml.ts'

/** Writes a machine's disks below a URL as they come, and then their description; gives where that is. */
export async function exportVm(
  vim: Vim,
  { name, uuid, url }: Pick<Target, 'name' | 'uuid'> & { url: string },
  context: HandlerContext,
): Promise<{ location: string }> {
  const vm = await getVm(vim, { name, uuid })
  const below = url.endsWith('/') ? url : `${url}/`
  const what = `Exporting machine '${name}'`
  return withLease(vim, what, { method: 'ExportVm', self: vm.ref }, context, async lease => {
    const disks = lease.devices.filter(one => textOf(at(one, 'disk')) === 'true')
    const ovfFiles: XmlObject[] = []
    for (const [place, device] of disks.entries()) {
      const path = `${name}-disk${place + 1}.vmdk`
      const size = await copyDisk(vim, device, new URL(path, below).href, context.signal)
      ovfFiles.push({ deviceId: textOf(at(device, 'key')), path, size })
      context.progress(Math.round((100 * (place + 1)) / (disks.length + 1)), `${what}: ${path}`)
    }
    const cdp = { ovfFiles, name }
    const [made] = await vim.call('CreateDescriptor', vim.root('ovfManager'), { obj: refXml(vm.ref), cdp })
    const location = new URL(`${name}.ovf`, below).href
    await put(location, Readable.from([textOf(at(made, 'ovfDescriptor'))]), context.signal)
    return { location }
  })
}

/** The bytes that it had. */
async function copyDisk(vim: Vim, device: Node, to: string, signal: AbortSignal): Promise<number> {
  const { host, port } = vim.connection
  // A host that is asked itself does not say its own name.
  const from = new URL(
    textOf(at(device, 'url')).replace('://*', `://${host.includes(':') ? `[${host}]` : host}:${port}`),
  )
  const answer = await fetchPinned(vim, from, textOf(at(device, 'sslThumbprint')), signal)
  let size = 0
  const counted = async function* () {
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length
      yield part
    }
  }
  await put(to, Readable.from(counted()), signal)
  return size
}

/** From a host that the vCenter names with its certificate's SHA-1; or from the one that one is logged in to, as that is pinned. */
async function fetchPinned(
  vim: Vim,
  { hostname, port, pathname, search }: URL,
  thumbprint: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { fingerprint } = vim.connection
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const isTrusted = !thumbprint && fingerprint === null
    const opened = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      rejectUnauthorized: isTrusted,
    })
    signal.addEventListener('abort', () => opened.destroy(signal.reason), { once: true })
    opened.once('error', reject)
    opened.once('secureConnect', () => resolve(opened))
  }).catch(error => {
    signal.throwIfAborted()
    throw deviceError('DEVICE_UNREACHABLE', vim.name, `host '${hostname}' gives no disks (${error.message})`, {
      cause: error,
    })
  })
  const raw = socket.getPeerCertificate().raw ?? Buffer.alloc(0)
  const seen = (algorithm: string) => createHash(algorithm).update(raw).digest('hex')
  const isPinned = thumbprint
    ? seen('sha1') === thumbprint.replaceAll(':', '').toLowerCase()
    : fingerprint === null || fingerprint === 'any' || seen('sha256') === fingerprint
  if (!isPinned) {
    socket.destroy()
    throw deviceError(
      'DEVICE_UNTRUSTED',
      vim.name,
      `host '${hostname}' has another certificate than it was said to have`,
    )
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { Host: hostname, Cookie: vim.cookie() }
    const asked = httpRequest({ createConnection: () => socket, path: pathname + search, headers, signal })
    asked.once('error', reject)
    asked.once('response', resolve)
    asked.end()
  })
  if (answer.statusCode === 200) return answer
  answer.destroy()
  throw deviceError(
    'DEVICE_REFUSED',
    vim.name,
    `host '${hostname}' answers ${answer.statusCode} to a request for a disk`,
  )
}

async function put(to: string, body: Readable, signal: AbortSignal): Promise<void> {
  const { origin } = new URL(to)
  try {
    const init = { method: 'PUT', body: Readable.toWeb(body), duplex: 'half', signal }
    const answer = await fetch(to, init as RequestInit)
    await answer.arrayBuffer()
    if (!answer.ok) throw deviceError('DEVICE_REFUSED', origin, `it answers ${answer.status} to PUT ${to}`)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && error.name === 'ContractorError') throw error
    const { cause, message } = error as Error
    const words = cause instanceof Error ? cause.message : message
    throw deviceError('DEVICE_UNREACHABLE', origin, `${to} cannot be written (${words})`, { cause: error })
  }
}
