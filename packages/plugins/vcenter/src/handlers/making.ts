import type { HandlerContext } from '@contractor/plugin'
import type { Wanted } from '../tasks.ts'
import type { Cluster, Datacenter, Network } from './inventory.ts'
import type { Ref, Vim } from './vim.ts'

/** Where a machine is made, and of what. */
export interface Making {
  readonly vim: Vim
  readonly wanted: Wanted
  readonly context: HandlerContext
  readonly datacenter: Datacenter
  readonly cluster: Cluster
  readonly host: Ref
  readonly datastore: Ref
  readonly networks: ReadonlyMap<string, Network>
}
