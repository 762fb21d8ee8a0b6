/** Contractor over HTTP. */

export type { ServerOptions } from './create-server.ts'
export { createServer } from './create-server.ts'
export type { App } from './http/environment.ts'
export type { Listening, ListenOptions } from './http/listen.ts'
export { listen } from './http/listen.ts'
export type { NodeListener } from './http/node-listener.ts'
export { createListener } from './http/node-listener.ts'
