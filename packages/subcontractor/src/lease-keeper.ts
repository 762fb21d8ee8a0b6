import type { Clock, Log } from '@contractor/plugin/agent'
import type { Connection } from './connection.ts'
import type { DispatchApi } from './dispatch-api.ts'
import type { HeldTask, HeldTasks } from './held-task.ts'

/** Renews the leases of all held Tasks, at a third of each lease, as many as are due in one message. */
export interface LeaseKeeper {
  /** To be called whenever a Task was added to those held. */
  schedule(): void
  /** To be called when a held Task has something to tell: it is told with a renewal, about once a second. */
  tell(held: HeldTask): void
}

export interface LeaseKeeperOptions {
  held: HeldTasks
  api: DispatchApi
  connection: Connection
  clock: Clock
  log: Log
  /** Ends all renewing. */
  signal: AbortSignal
  /** Called when a Task that was not finished is no longer this agent's. */
  onLost(lost: HeldTask): void
  onFatal(error: unknown): void
}

const batchSize = 1000
/** How long what a handler tells is gathered. */
const gatherMs = 1000

export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { held, api, connection, clock, log, signal, onLost, onFatal } = options
  let cancelTimer: (() => void) | undefined
  let renewing = false

  signal.addEventListener('abort', () => cancelTimer?.(), { once: true })

  function schedule(): void {
    cancelTimer?.()
    cancelTimer = undefined
    if (renewing || signal.aborted) return
    const next = Math.min(...[...held.values()].map(({ renewAt }) => renewAt))
    if (next === Number.POSITIVE_INFINITY) return
    cancelTimer = clock.setTimer(Math.max(0, next - clock.now()), () => void renew())
  }

  async function renew(): Promise<void> {
    renewing = true
    try {
      await connection.retry('renew', sendDue, signal)
    } catch (error) {
      if (!signal.aborted) onFatal(error)
    } finally {
      renewing = false
      schedule()
    }
  }

  async function sendDue(): Promise<true | undefined> {
    const sentAt = clock.now()
    const due = dueAt(sentAt)
    if (due.length === 0) return undefined
    const claims = due.map(({ task: { taskId, claimToken }, reports }) => ({
      taskId,
      claimToken,
      news: reports.next(),
    }))
    const request = claims.map(({ news, ...claim }) => (news ? { ...claim, report: news.report } : claim))
    const reply = await api.renew({ claims: request }, signal)
    for (const { news } of claims) news?.told()
    const refused = new Map(reply.claims.flatMap(status => (status.accepted ? [] : [[status.taskId, status.reason]])))
    for (const task of due) {
      if (refused.has(task.task.taskId)) lose(task, refused.get(task.task.taskId))
      // The lease runs from when the server saw the renewal, which is no earlier than this.
      else task.renewAt = sentAt + (task.reports.next() ? gatherMs : task.task.leaseMs / 3)
    }
    return true
  }

  /** One claim a Task: the reply names Tasks, and a second claim of the same one has its turn in the next message. */
  function dueAt(now: number): HeldTask[] {
    const due = new Map<number, HeldTask>()
    for (const task of held.values()) {
      if (due.size === batchSize) break
      if (task.renewAt <= now + earlyMs(task) && !due.has(task.task.taskId)) due.set(task.task.taskId, task)
    }
    return [...due.values()]
  }

  /** A finished Task has its answer on the way; what became of that, the server says in its reply. */
  function lose(lost: HeldTask, reason: string | undefined): void {
    const { taskId, claimToken, module, function: name } = lost.task
    lost.renewAt = Number.POSITIVE_INFINITY
    if (lost.phase === 'finished' || !held.delete(claimToken)) return
    onLost(lost)
    log('warn', 'claim lost, task is aborted', { task: taskId, function: `${module}.${name}`, reason })
    lost.abort.abort(new Error(`The claim of task ${taskId} was lost: ${reason ?? 'refused by the server'}`))
  }

  return {
    schedule,
    tell(told) {
      const at = clock.now() + gatherMs
      if (told.phase === 'finished' || told.renewAt <= at) return
      told.renewAt = at
      schedule()
    },
  }
}

/** Tasks that are nearly due go along with those that are. */
function earlyMs({ task }: HeldTask): number {
  return task.leaseMs / 12
}
