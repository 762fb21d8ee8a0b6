import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@contractor/contract'

/** What is compared of an event: whether it is the same one, at the same place. */
export interface Seen {
  /** Absent, in the table, of one that nobody has given a place yet. */
  place: number | null
  type: string
  job: number | null
}

/** A cursor begins with the place. */
export const toSeen = ({ cursor, type, job }: Pick<Event, 'cursor' | 'type' | 'job'>): Seen => ({
  place: Number.parseInt(cursor, 10),
  type,
  job,
})

export interface Watcher {
  readonly seen: readonly Seen[]
  /** How often its stream broke, and it went on by the cursor of the last event that it had. */
  breaks(): number
  /** Waits until it has seen so many events, for so long at the most. */
  count(events: number, ms: number): Promise<void>
  stop(): void
}

const retryMs = 200
/** The server says every 15 seconds that it is there. */
const silenceMs = 20_000

/** Follows all events from the first one on over SSE, by turns at each of these servers. */
export function watchEvents(ports: readonly number[], token: string): Watcher {
  const seen: Seen[] = []
  const stopping = new AbortController()
  let cursor = '0'
  let breaks = 0

  const follow = async (port: number | undefined) => {
    const silent = new AbortController()
    const silence = setTimeout(() => silent.abort(), silenceMs)
    try {
      const reply = await fetch(`http://127.0.0.1:${port}/api/v1/events`, {
        headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream', 'Last-Event-ID': cursor },
        signal: AbortSignal.any([stopping.signal, silent.signal]),
      })
      if (!reply.ok || !reply.body) return
      breaks++
      let text = ''
      for await (const part of reply.body.pipeThrough(new TextDecoderStream())) {
        silence.refresh()
        const messages = `${text}${part}`.split('\n\n')
        text = messages.pop() ?? ''
        for (const event of messages.flatMap(parseMessage)) {
          seen.push(toSeen(event))
          cursor = event.cursor
        }
      }
    } finally {
      clearTimeout(silence)
    }
  }
  const run = async () => {
    for (let turn = 0; !stopping.signal.aborted; turn++) {
      await follow(ports[turn % ports.length]).catch(() => undefined)
      await delay(retryMs)
    }
  }
  void run()

  return {
    seen,
    // The last one is not broken.
    breaks: () => Math.max(0, breaks - 1),
    async count(events, ms) {
      const until = performance.now() + ms
      while (seen.length < events && performance.now() < until) await delay(100)
    },
    stop: () => stopping.abort(),
  }
}

/** A message of SSE; a comment is none. */
function parseMessage(message: string): Event[] {
  const data = message.split('\n').flatMap(line => (line.startsWith('data:') ? line.slice(5).trim() : []))
  return data.length ? [JSON.parse(data.join('\n')) as Event] : []
}

export interface Comparison {
  isComplete: boolean
  events: number
  /** Events of the one that the other has not, or has more than once, or has and should not; as `PLACE TYPE JOB`. */
  missing: string[]
  doubled: string[]
  strange: string[]
  isInOrder: boolean
}

/** What was seen against what there is, both in the order of their places. */
export function compareEvents(seen: readonly Seen[], wanted: readonly Seen[]): Comparison {
  const name = ({ place, type, job }: Seen) => `${place ?? '-'} ${type} ${job ?? '-'}`
  const seenNames = seen.map(name)
  const wantedNames = wanted.map(name)
  const had = new Set(seenNames)
  const due = new Set(wantedNames)
  const missing = wantedNames.filter(one => !had.has(one))
  const counts = new Map<string, number>()
  for (const one of seenNames) counts.set(one, (counts.get(one) ?? 0) + 1)
  const doubled = [...counts].filter(([, count]) => count > 1).map(([one]) => one)
  const strange = [...had].filter(one => !due.has(one))
  const isInOrder = seen.every((one, at) => at === 0 || Number(seen[at - 1]?.place) < Number(one.place))
  const isComplete = isInOrder && missing.length + doubled.length + strange.length === 0
  return { isComplete, events: seen.length, missing, doubled, strange, isInOrder }
}
