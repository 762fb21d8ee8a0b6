/** Contractor over HTTP. */

export type { ServerOptions } from './create-server.ts'
export { createServer } from './create-server.ts'
export type { App } from './environment.ts'
export type { Listening, ListenOptions } from './listen.ts'
export { listen } from './listen.ts'
export type { NodeListener } from './node-listener.ts'
export { createListener } from './node-listener.ts'
