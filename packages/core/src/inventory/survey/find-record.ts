import { ContractorError } from '@contractor/contract'
import { asc, eq, or } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { cartographer } from '../../database/survey-schema.ts'
import { distinctName, isSameMachine } from './marks.ts'

/**
 * Under which identifier a machine's record stands. Firmware calls many machines by one name (`0123456789`), so that a name
 * alone is not a machine: of those that call themselves the same, each has a record, and is known again by its marks. The
 * first one's identifier is the name itself. What two reports have nothing in common to compare by is taken for one machine.
 */
export async function findReporter(tx: Db, called: string, marks: readonly string[]): Promise<string> {
  const rows = await recordsOf(tx, called)
  const judged = rows.map(row => ({ ...row, isSame: isSameMachine(marks, row.marks) }))
  const same = judged.find(row => row.isSame) ?? judged.find(row => row.isSame === undefined)
  if (same) return same.identifier
  const taken = rows.map(row => row.identifier)
  return taken.includes(called) ? distinctName(called, marks, taken) : called
}

/**
 * The record of a machine that has only said its name; undefined when none has. Of several that call themselves the same it
 * is the one that was last heard from that address; throws WRONG_STATE when that does not tell either.
 */
export async function findCalled(db: Db, called: string, address: string | null): Promise<string | undefined> {
  const rows = await recordsOf(db, called)
  if (rows.length < 2) return rows[0]?.identifier
  const [here, another] = rows.filter(row => address !== null && row.address === address)
  if (here && !another) return here.identifier
  const message = `${rows.length} machines call themselves '${called}': which of them this is, is told by a report of its hardware alone`
  throw new ContractorError('WRONG_STATE', message, { kind: 'Cartographer', id: called, state: 'ambiguous' })
}

const recordsOf = (db: Db, called: string) =>
  db
    .select({ identifier: cartographer.identifier, marks: cartographer.marks, address: cartographer.address })
    .from(cartographer)
    .where(or(eq(cartographer.called, called), eq(cartographer.identifier, called)))
    .orderBy(asc(cartographer.createdAt), asc(cartographer.identifier))
