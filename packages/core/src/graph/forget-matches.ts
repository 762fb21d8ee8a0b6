import { inArray } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { cartographer } from '../database/survey-schema.ts'
import type { Engine } from '../engine/engine.ts'

/**
 * The machines of Foundations that are destroyed or deleted are nobody's again: what comes in their place may be another
 * one, and they themselves may have been put elsewhere. Their next report is looked at as if it were the first.
 */
export async function forgetMatches(
  engine: Engine,
  tx: Db,
  locators: readonly string[],
  message: string,
): Promise<void> {
  await tx
    .update(cartographer)
    .set({ state: 'unmatched', foundation: null, matchedAt: null, message, updatedAt: engine.clock.now() })
    .where(inArray(cartographer.foundation, [...locators]))
}
