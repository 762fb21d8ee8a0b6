import type { Server } from 'node:http'
import { ContractorError } from '@contractor/core'
import { serve } from '@hono/node-server'
import type { App } from './environment.ts'

export interface ListenOptions {
  host: string
  /** 0 for any free port. */
  port: number
}

export interface Listening {
  readonly url: string
  /** Takes no more connections, and resolves when the requests under way have been answered, or have had three seconds. */
  close(): Promise<void>
}

/** Serves an app over HTTP. Throws PORT_IN_USE. */
export function listen(app: App, { host, port }: ListenOptions): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, address => {
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
      resolve({ url: `http://${name}:${address.port}`, close: () => closeServer(server) })
    }) as Server
    server.once('error', error => {
      if (!('code' in error) || error.code !== 'EADDRINUSE') return reject(error)
      const message = `Port ${port} of ${host} is taken by another process. Stop that, or use another port with --port.`
      reject(new ContractorError('PORT_IN_USE', message, { host, port }, { cause: error }))
    })
  })
}

/** A supervisor gives ten seconds for all of it before it kills. */
const mostClosingMs = 3_000

function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    const last = setTimeout(() => server.closeAllConnections(), mostClosingMs)
    server.close(() => {
      clearTimeout(last)
      resolve()
    })
    server.closeIdleConnections()
  })
}
