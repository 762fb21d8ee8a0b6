import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LocalPackage {
  manifest: { name: string; version: string }
  tarball: string
}

/** An npm registry on this machine: it has these packages as if they were published, and all others from upstream. */
export async function openRegistry(packages: readonly LocalPackage[], upstream: string) {
  const own = new Map(packages.map(one => [one.manifest.name, one]))
  let url = ''

  async function describe({ manifest, tarball }: LocalPackage): Promise<object> {
    const { name, version } = manifest
    const integrity = `sha512-${createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64')}`
    const dist = { tarball: `${url}/tarballs/${encodeURIComponent(name)}`, integrity }
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
  }

  async function answer(path: string, accept: string): Promise<{ status: number; type: string; body: Buffer }> {
    const [, tarball] = /^\/tarballs\/(.+)$/.exec(path) ?? []
    const wanted = own.get(decodeURIComponent(tarball ?? path.slice(1)))
    if (wanted && tarball)
      return { status: 200, type: 'application/octet-stream', body: await readFile(wanted.tarball) }
    if (wanted)
      return { status: 200, type: 'application/json', body: Buffer.from(JSON.stringify(await describe(wanted))) }
    const reply = await fetch(new URL(path.slice(1), upstream), { headers: { accept } })
    const type = reply.headers.get('content-type') ?? 'application/json'
    return { status: reply.status, type, body: Buffer.from(await reply.arrayBuffer()) }
  }

  const server = createServer((request, response) => {
    answer(request.url ?? '/', request.headers.accept ?? '*/*').then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      error => response.writeHead(502).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
