import { AsyncLocalStorage } from 'node:async_hooks'
import type { PGlite } from '@electric-sql/pglite'

/**
 * A PGlite has one session: whoever asks it outside of the transaction that is open waits for its end. Inside of that
 * transaction's own callback this is for ever, and nothing would say why. So it is known which calls come from within a
 * transaction, and such a call is refused with a sentence unless it takes part in it.
 */
const open = new AsyncLocalStorage<{ client: PGlite; isOver: boolean }>()
const watched = new WeakSet<PGlite>()

/** Has the transactions of this client known, whoever begins them. */
export function watchTransactions(client: PGlite): void {
  if (watched.has(client)) return
  watched.add(client)
  const begin = client.transaction.bind(client)
  client.transaction = async run => {
    // What the callback leaves running behind it waits for it no more.
    const own = { client, isOver: false }
    try {
      return await begin(tx => open.run(own, () => run(tx)))
    } finally {
      own.isOver = true
    }
  }
}

/** Whether this call comes from within a transaction of the client. */
export function isInTransaction(client: PGlite): boolean {
  const own = open.getStore()
  return own?.client === client && !own.isOver
}
