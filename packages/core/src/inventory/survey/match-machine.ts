import { asJson, ContractorError, type Evidence, type Hardware, type Omission } from '@contractor/contract'
import { asc, eq, inArray, ne, sql } from 'drizzle-orm'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { foundation } from '../../database/schema.ts'
import { cartographer } from '../../database/survey-schema.ts'
import type { Engine } from '../../engine/engine.ts'
import type { NewEvent } from '../../event/event.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { FoundationRow } from '../../graph/target.ts'
import type { Difference } from '../hardware/check-hardware.ts'
import type { CartographerRow } from './cartographer.ts'
import { collectEvidence } from './evidence.ts'
import { contraryTo, describeMatch, judgeEvidence, type Standing, type Verdict } from './judge-evidence.ts'
import { isSameMachine, marksOf } from './marks.ts'
import { settleMatch } from './settle-match.ts'

/** How many machines that are nobody's are kept: whoever can reach the server can register, without a token. */
export const mostUnmatched = 10_000

export interface Machine {
  /** Of its record. */
  readonly identifier: string
  readonly called: string
  readonly hardware: Hardware
  /** What of its report was left out. */
  readonly omitted: readonly Omission[]
  readonly address: string | null
}

/**
 * Finds out which Foundation a machine is that has reported itself, and does what follows. A number of statements that
 * does not grow with what it reports.
 *
 * Locks are taken in one order, the one in which Foundations are destroyed: Foundations by locator, then the
 * Cartographer. How Foundations stand is read under their locks, so that of two machines at once one comes after.
 */
export async function matchMachine(engine: Engine, tx: Db, machine: Machine, by: string): Promise<void> {
  const { identifier, hardware } = machine
  const marks = marksOf(hardware)
  const found = await collectEvidence(tx, machine)
  const own = await tx
    .select({ foundation: cartographer.foundation })
    .from(cartographer)
    .where(eq(cartographer.identifier, identifier))
  const foundations = await lockFoundations(tx, [
    ...found.map(one => one.foundation),
    ...own.flatMap(one => one.foundation ?? []),
  ])
  const { row: before, isNew } = await lockCartographer(engine, tx, machine)
  if (isSameMachine(marks, before.marks) === false) {
    // Another one was faster to take the name; only a retry, whose report is the record's own, could not come to this.
    const message = `Another machine has reported itself as '${identifier}' at this moment; report again`
    throw new ContractorError('CONFLICT', message, {}, { retryable: true })
  }
  // One that was assigned just now, by somebody who was faster.
  if (before.foundation !== null && !foundations.has(before.foundation))
    for (const one of (await lockFoundations(tx, [before.foundation])).values()) foundations.set(one.locator, one)
  const evidence = found.filter(one => foundations.has(one.foundation))

  const verdict: Verdict =
    before.foundation === null
      ? judgeEvidence(evidence, await readStandings(tx, foundations), identifier)
      : { state: 'matched', foundation: before.foundation, message: stillIs(evidence, before.foundation) }
  const matched = verdict.state === 'matched' ? foundations.get(verdict.foundation) : undefined
  const settled = matched && (await settleMatch(engine, tx, matched, hardware, by))
  const after = {
    state: verdict.state,
    foundation: matched?.locator ?? null,
    message: [verdict.message, ...(settled ? tellSettled(matched.locator, settled) : [])].join('. '),
  }
  const now = engine.clock.now()
  await tx
    .update(cartographer)
    .set({
      ...after,
      hardware: asJson(hardware),
      marks,
      omitted: machine.omitted as unknown as Values[],
      evidence: evidence as unknown as Values[],
      address: machine.address,
      matchedAt: matched ? (before.matchedAt ?? now) : null,
      updatedAt: now,
    })
    .where(eq(cartographer.identifier, identifier))
  await recordEvents(engine, tx, eventsOf(before, { ...after, isNew, by, differences: settled?.differences ?? [] }))
}

async function lockFoundations(tx: Db, locators: readonly string[]): Promise<Map<string, FoundationRow>> {
  const wanted = [...new Set(locators)]
  if (!wanted.length) return new Map()
  takingLock(tx, 'foundation')
  const rows = await tx
    .select()
    .from(foundation)
    .where(inArray(foundation.locator, wanted))
    .orderBy(asc(foundation.locator))
    .for('update')
  return new Map(rows.map(row => [row.locator, row]))
}

/** The row of a machine, made if it is a new one, and ours until the transaction ends. Throws LIMIT_REACHED. */
export async function lockCartographer(
  engine: Engine,
  tx: Db,
  { identifier, called, address }: Pick<Machine, 'identifier' | 'called' | 'address'>,
): Promise<{ row: CartographerRow; isNew: boolean }> {
  takingLock(tx, 'cartographer')
  const select = () => tx.select().from(cartographer).where(eq(cartographer.identifier, identifier)).for('update')
  const [present] = await select()
  if (present) return { row: present, isNew: false }
  const [{ count } = { count: 0 }] = await tx
    .select({ count: sql<number>`count(*)::int` })
    .from(cartographer)
    .where(ne(cartographer.state, 'matched'))
  if (count >= mostUnmatched) {
    const message = `Machine '${identifier}' cannot register: ${count} machines wait to be matched already, and more are not kept. Assign or delete some.`
    throw new ContractorError('LIMIT_REACHED', message, { kind: 'Cartographer', limit: mostUnmatched })
  }
  const now = engine.clock.now()
  const made = await tx
    .insert(cartographer)
    .values({ identifier, called, address, createdAt: now, updatedAt: now })
    .onConflictDoNothing()
    .returning()
  const [row] = await select()
  return { row: row as CartographerRow, isNew: made.length > 0 }
}

async function readStandings(
  tx: Db,
  foundations: ReadonlyMap<string, FoundationRow>,
): Promise<ReadonlyMap<string, Standing>> {
  if (!foundations.size) return new Map()
  const claims = await tx
    .select({ identifier: cartographer.identifier, foundation: cartographer.foundation })
    .from(cartographer)
    .where(inArray(cartographer.foundation, [...foundations.keys()]))
  const claimedBy = new Map(claims.map(one => [one.foundation, one.identifier]))
  return new Map(
    [...foundations].map(([locator, { state }]) => [locator, { state, claimedBy: claimedBy.get(locator) ?? null }]),
  )
}

const stillIs = (evidence: readonly Evidence[], locator: string) =>
  [describeMatch(evidence, locator), contraryTo(evidence, locator) ?? []].flat().join('. ')

/** What a match has come to, in words. */
export function tellSettled(
  locator: string,
  { differences, warnings }: { differences: readonly Difference[]; warnings: readonly string[] },
): string[] {
  if (!differences.length) return [...warnings]
  const list = differences.map(one => one.message).join('; ')
  return [`Its hardware is not what the BluePrint of Foundation '${locator}' wants: ${list}`]
}

interface Outcome extends Pick<CartographerRow, 'state' | 'foundation' | 'message'> {
  isNew: boolean
  by: string
  differences: readonly Difference[]
}

/** A machine that reports the same again is no news. */
function eventsOf(before: CartographerRow, after: Outcome): NewEvent[] {
  const { by, foundation: locator, message, differences } = after
  const about = { by, foundation: locator, data: { cartographer: before.identifier } }
  const told = { ...about, data: { ...about.data, message } }
  const isNews = before.message !== message
  return [
    ...(after.isNew ? [{ type: 'cartographer.registered' as const, ...about }] : []),
    ...(locator !== null && before.foundation !== locator ? [{ type: 'cartographer.matched' as const, ...told }] : []),
    ...(after.state === 'aside' && isNews ? [{ type: 'cartographer.aside' as const, ...told }] : []),
    ...(differences.length && isNews
      ? [
          {
            type: 'cartographer.mismatched' as const,
            ...about,
            data: { ...about.data, differences: differences.map(one => ({ ...one })) },
          },
        ]
      : []),
  ]
}
