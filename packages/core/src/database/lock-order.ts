import type { Db } from './db.ts'

/**
 * The one order in which locks are taken, by everybody: whoever holds one takes none that stands before it. Two who keep
 * to it never wait for each other. Several of one kind are taken in the order of their keys, in one statement.
 *
 * Trees come first, since who moves something decides by what is above it. A Job comes before its Task and both before what
 * they are for: the Foreman and agents come from there, and hold them for every step, while an operator who comes from a
 * target (an order, a change of state) locks the target alone and only adds rows for its Jobs: a Job that is ordered is new,
 * and a wake-up is a row of its own. An operator who moves a Foundation, and with it Tasks that are out, locks its Jobs first.
 * Definitions (Scripts before the BluePrints that name them) are locked by who writes them alone.
 */
export const lockOrder = [
  'tree',
  'publication',
  'job',
  'task',
  'script',
  'pxe',
  'blueprint-tree',
  'blueprint',
  'site',
  'plot',
  'network',
  'complex',
  'foundation',
  'structure',
  'dependency',
  'zone',
  'interface',
  'address-block',
  'address',
  'cartographer',
  'service',
  'secret',
  'note',
] as const
export type Lock = (typeof lockOrder)[number]

const rankOf = new Map<string, number>(lockOrder.map((lock, rank) => [lock, rank]))
const held = new WeakMap<object, Lock>()
const isTest = process.env.NODE_ENV === 'test'

/**
 * Said before a lock is taken. In tests, which run every path there is, a lock that is taken out of its order throws; elsewhere it is the
 * database that finds a deadlock, and the transaction is run again: a wrong order costs time there, and refuses nothing.
 */
export function takingLock(tx: Db, lock: Lock): void {
  if (!isTest) return
  const last = held.get(tx)
  if (last !== undefined && (rankOf.get(lock) ?? 0) < (rankOf.get(last) ?? 0)) {
    throw new Error(`A lock is taken out of order: ${lock} while ${last} is held. See lock-order.ts.`)
  }
  held.set(tx, lock)
}
