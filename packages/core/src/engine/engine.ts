import type { Clock } from '../database/clock.ts'
import { type Database, type Db, inTransaction } from '../database/database.ts'
import type { Templates } from '../jinja/templates.ts'
import type { Notifications } from './notifications.ts'
import type { PluginRegistry } from './plugin-registry.ts'
import type { Seals } from './seal.ts'

/** One line for whoever runs this process. Never a secret. */
export type Log = (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

/** What every part of the engine is given. */
export interface Engine {
  readonly database: Database
  readonly db: Db
  readonly clock: Clock
  readonly plugins: PluginRegistry
  readonly notifications: Notifications
  readonly templates: Templates
  readonly seals: Seals
  /** Where machines reach the server, for `__contractor_host`; empty when there is none. */
  url(): string
  /** Where images for network boots are, for `__pxe_location`; under `url` unless said. */
  readonly pxeUrl: string | undefined
  readonly leaseMs: number
  /** How long what is over is kept, in days; 0 keeps it for ever. */
  readonly retentionDays: number
  /** Makes the ids of calls; injected, so that a simulation can be replayed. */
  readonly newId: () => string
  readonly log: Log
  /** Aborted when it is closed: what waits ends, and every call says so. */
  readonly closing: AbortSignal
}

/** What every call that touches the database takes besides its input. */
export interface CallOptions {
  /** The caller's drizzle transaction: its own rows and ours are committed together. */
  tx?: Db | undefined
  /** Who is asking, for the log; `sdk` unless said. */
  by?: string | undefined
  /** Of a call that changes or deletes an object: VERSION_MISMATCH unless it is still of the version that was read. */
  ifVersion?: number | undefined
}

export const whoIs = (options: CallOptions): string => options.by ?? 'sdk'

export function transaction<T>(engine: Engine, options: CallOptions, run: (tx: Db) => Promise<T>): Promise<T> {
  return inTransaction(engine.db, options.tx, run)
}
