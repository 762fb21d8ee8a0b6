/** Contractor's API for programs elsewhere. */

export { ContractorError, isContractorError } from '@contractor/contract'
export type { CallOptions, Client, PartOf } from './client.ts'
export { createClient } from './create-client.ts'
export { each } from './each.ts'
export type { Connection } from './send.ts'
export type { WatchOptions } from './watch-events.ts'
