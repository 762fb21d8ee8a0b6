import type { Engine } from '../../engine/engine.ts'
import type { Identity } from './identity.ts'

/**
 * Whose tokens were seen lately, so that an agent's every message need not ask the database for it again. Emptied when
 * any process deletes a token, which it tells by a notification; should that be lost, what is known is
 * forgotten after a while all the same. Who is not known is never remembered.
 */
export interface KnownTokens {
  find(hash: string, read: () => Promise<Identity | undefined>): Promise<Identity | undefined>
  forget(): void
}

/** How long a token that was deleted elsewhere may go on being let in, at the most: when the notification is lost. */
const longestMs = 10_000
const mostTokens = 1000

export function createKnownTokens(engine: Engine): KnownTokens {
  const known = new Map<string, { identity: Identity; readAt: number }>()
  let changes = 0
  let listening = false

  const forget = () => {
    changes += 1
    known.clear()
  }
  const listen = () => {
    if (listening) return
    listening = true
    void engine.notifications.next('token').promise.then(() => {
      listening = false
      forget()
    })
  }

  return {
    forget,
    async find(hash, read) {
      const found = known.get(hash)
      if (found && performance.now() - found.readAt < longestMs) return found.identity
      // Heard from before it is read, so that no change falls in between.
      listen()
      const seen = changes
      const readAt = performance.now()
      const identity = await read()
      if (!identity || seen !== changes) return identity
      if (known.size >= mostTokens) known.clear()
      known.set(hash, { identity, readAt })
      return identity
    },
  }
}
