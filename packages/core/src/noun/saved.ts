import type { Change } from '@contractor/contract'
import type { CallOptions } from '../engine/engine.ts'
import { checkVersion } from './refuse.ts'

/** What saving something did, with what was there. */
export interface Saved<T> {
  change: Change
  before: T | undefined
  after: T
}

/** Refuses to save over what was changed since it was read; what was deleted since has version 0. */
export function checkSaved(
  kind: string,
  id: string,
  before: { version: number } | undefined,
  { ifVersion }: CallOptions,
): void {
  checkVersion(kind, id, before?.version ?? 0, ifVersion)
}
