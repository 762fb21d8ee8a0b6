import type { Engine } from '../../engine/engine.ts'

/** Whether somebody asks: whoever does says so again and again. So agents that wait cost no statement for what is rare. */
export interface Inquiries {
  mayBeOpen(): boolean
}

/** Longer than it is silent who asks, in milliseconds. */
const quietMs = 10_000

export function hearInquiries(engine: Engine): Inquiries {
  let heardAt = Number.NEGATIVE_INFINITY
  const listen = async () => {
    while (!engine.closing.aborted) {
      await engine.notifications.next('inquiry').promise
      heardAt = performance.now()
    }
  }
  void listen()
  return { mayBeOpen: () => performance.now() - heardAt < quietMs }
}
