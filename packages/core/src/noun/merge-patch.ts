import { type Json, maskSecrets } from '@contractor/contract'
import type { Values } from '../database/columns.ts'

/**
 * A map with what was given laid over it (JSON Merge Patch, RFC 7396): what is not named stays, null takes a value away,
 * and maps within are laid over each other alike. So two who change different values of one map both have their way. What
 * is given back as it is shown, with `***` for its secrets, stays as it is.
 */
export function mergePatch(present: Values, given: Values): Values {
  const merged: Values = { ...present }
  for (const [key, value] of Object.entries(given)) {
    const before = Object.hasOwn(present, key) ? present[key] : undefined
    if (value === null) delete merged[key]
    else if (before !== undefined && isShown(before, value)) continue
    else merged[key] = isMap(value) ? mergePatch(isMap(before) ? before : {}, value) : value
  }
  return merged
}

/** What names a secret is one value, and no map. */
export const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '$secret')

const isShown = (before: Json, value: Json) => JSON.stringify(maskSecrets(before)) === JSON.stringify(value)
