import { randomUUID } from 'node:crypto'
import { cutText, type HandlerModule, mendText, parseInput, type ServiceRunner } from '@contractor/plugin'
import { type Clock, createTaskReports, type Log, runTask, systemClock, wait } from '@contractor/plugin/agent'
import { type ClaimedTask, claimRequest, type TaskClaim } from '@contractor/plugin/wire'
import pLimit from 'p-limit'
import { createChanges } from './changes.ts'
import { createClaimLoop } from './claim-loop.ts'
import { createClaimRequests } from './claim-requests.ts'
import { concurrencyOf } from './concurrency.ts'
import { createConnection } from './connection.ts'
import { createDispatchApi } from './dispatch-api.ts'
import type { HeldTask, HeldTasks } from './held-task.ts'
import { createJournal, type JournalRecord } from './journal.ts'
import { createLeaseKeeper } from './lease-keeper.ts'
import { createOutbox } from './outbox.ts'
import { createServiceKeeper } from './service-keeper.ts'
import { createSlots } from './slots.ts'

export interface SubContractorOptions {
  /** The server's URL, without `/api/…`. */
  server: string
  /** The agent's bearer token. It appears in no log record. */
  token: string
  /** Who this is, in the server's logs: a host name, usually. From 1 to 100 characters. */
  name: string
  /** What `./handlers` of each plugin exports. */
  handlers: readonly HandlerModule[]
  /** What it can run all the time. */
  services?: readonly ServiceRunner[]
  /** How many Tasks at once, by module, from 1 to 1000; 4 unless said. */
  concurrency?: Readonly<Record<string, number>>
  /**
   * A directory, made if it is missing, in which begun Tasks and undelivered answers outlive a kill. For one agent at a
   * time. Without it, they live in memory.
   */
  journal?: string
  log?: Log
  fetch?: typeof fetch
  clock?: Clock
  /** From 0 to 1, for the jitter of retries. */
  random?: () => number
  /** Names requests; a new name every time. */
  newId?: () => string
}

export interface SubContractor {
  /** Settles what the journal holds, and begins to claim. Does nothing when it was started before. */
  start(): void
  /**
   * Claims no more; gives running handlers `graceMs` (10,000 unless said) to finish and report; aborts the rest and hands
   * them back. Resolves when all of that is done, or found impossible. Called again, it is the same stop.
   */
  stop(options?: { graceMs?: number }): Promise<void>
  /**
   * Resolves after a stop. Rejects when the server itself refuses this agent's token, with UNAUTHENTICATED or FORBIDDEN;
   * with IN_USE when another process has the journal, and VALIDATION_FAILED when that cannot be used. Nothing else that
   * comes in place of the server's answers ends an agent.
   */
  readonly stopped: Promise<void>
}

const defaultGraceMs = 10_000
/** What the last messages of a shutdown may take. */
const farewellMs = 5000
/** Claims in one message. */
const mostReleased = 1000

/**
 * The agent, ready to start. Throws PLUGIN_INVALID for two modules of one name, or a concurrency that cannot be, and
 * VALIDATION_FAILED for a name that the server would not take.
 */
export function createSubContractor(options: SubContractorOptions): SubContractor {
  const { server, clock = systemClock, log = () => {}, random = Math.random, newId = randomUUID } = options
  const agent = parseInput(claimRequest.shape.agent, options.name, "The agent's name")
  const modules = new Map(options.handlers.map(handlers => [handlers.module, handlers]))
  const concurrency = concurrencyOf(options.handlers, options.concurrency ?? {})
  const limits = new Map([...concurrency].map(([module, limit]) => [module, pLimit(limit)]))

  /** Aborted when claiming ends: with that, a shutdown begins. */
  const claiming = new AbortController()
  /** Aborted when everything ends. */
  const life = new AbortController()
  const held: HeldTasks = new Map()
  const handingBack = new Set<Promise<void>>()
  const slots = createSlots(concurrency)
  const changes = createChanges(clock)
  const journal = options.journal === undefined ? undefined : createJournal(options.journal, { log })
  const connection = createConnection({ clock, log, random, server, mostDelayMs })
  const requests = createClaimRequests({ clock, newId })
  const api = createDispatchApi({ server, token: options.token, clock, fetch: options.fetch ?? fetch })
  const leases = createLeaseKeeper({
    held,
    api,
    connection,
    clock,
    log,
    signal: life.signal,
    onLost: ({ task }) => journal?.remove(task),
    onFatal: fail,
  })
  const claims = createClaimLoop({
    agent,
    slots,
    api,
    requests,
    connection,
    clock,
    random,
    signal: claiming.signal,
    onTasks: accept,
    onFatal: fail,
  })
  const outbox = createOutbox({
    api,
    requests,
    connection,
    clock,
    random,
    log,
    signal: life.signal,
    offer: () => (claiming.signal.aborted ? undefined : slots.offer()),
    claimOf: offer => ({ agent, modules: offer.modules, waitMs: 0 }),
    onTasks: accept,
    onSettled(result) {
      held.delete(result.claimToken)
      journal?.remove(result)
      changes.tell()
    },
    onEmpty: claims.cover,
    onFatal: fail,
  })

  const services = createServiceKeeper({
    agent,
    runners: options.services ?? [],
    api,
    connection,
    clock,
    random,
    log,
    onFatal: fail,
  })

  let started = false
  let stopping: Promise<void> | undefined
  let resolveStopped: () => void = () => {}
  let rejectStopped: (error: unknown) => void = () => {}
  const stopped = new Promise<void>((resolve, reject) => {
    resolveStopped = resolve
    rejectStopped = reject
  })
  // Whoever does not look at `stopped` has the log; an unhandled rejection would end the host's process.
  stopped.catch(() => {})

  /** While Tasks are held the server has to hear of the agent before the shortest of their leases ends. */
  function mostDelayMs(): number {
    let shortest = Number.POSITIVE_INFINITY
    for (const { task } of held.values()) shortest = Math.min(shortest, task.leaseMs)
    return Math.max(100, shortest / 6)
  }

  /**
   * What an earlier process left: its answers are handed in, and are refused if their leases have run out. What it had
   * only begun is given back as begun, so that the engine looks at once.
   */
  function recover(records: readonly JournalRecord[]): void {
    const answers = records.flatMap(record => ('finished' in record ? [record.finished] : []))
    const begun = records.flatMap(record => ('begun' in record ? [record.begun] : []))
    if (records.length > 0)
      log('info', 'the journal holds tasks of an earlier process', { answers: answers.length, begun: begun.length })
    for (const answer of answers) outbox.add(answer)
    handBack(begun, { begun: true })
  }

  function accept(tasks: readonly ClaimedTask[]): void {
    if (claiming.signal.aborted) {
      handBack(tasks, { begun: false })
      return
    }
    loseEarlierClaims(tasks)
    for (const task of tasks) {
      if (held.has(task.claimToken)) continue
      const own: HeldTask = {
        task,
        phase: 'queued',
        abort: new AbortController(),
        renewAt: clock.now() + task.leaseMs / 3,
        reports: createTaskReports({ now: Date.now, onNews: () => leases.tell(own) }),
      }
      held.set(task.claimToken, own)
      void work(own)
    }
    leases.schedule()
  }

  /** A Task that is handed out again is lost to whoever had it before, also when that is this agent. */
  function loseEarlierClaims(tasks: readonly ClaimedTask[]): void {
    const current = new Map(tasks.map(({ taskId, claimToken }) => [taskId, claimToken]))
    for (const [token, { task, phase, abort }] of held) {
      const { taskId } = task
      if (phase === 'finished' || !current.has(taskId) || current.get(taskId) === token) continue
      held.delete(token)
      journal?.remove(task)
      log('warn', 'claim lost, task is aborted', { task: taskId, reason: 'it was handed out again' })
      abort.abort(new Error(`The claim of task ${taskId} was lost: it was handed out again`))
    }
  }

  async function work(own: HeldTask): Promise<void> {
    const { taskId, claimToken, module } = own.task
    const handlers = modules.get(module)
    const limit = limits.get(module)
    if (!handlers || !limit) {
      own.phase = 'finished'
      const message = `Agent '${agent}' has no module '${module}'; it has ${[...modules.keys()].join(', ')}`
      outbox.add({ taskId, claimToken, error: { code: 'TASK_FAILED', message, retryable: false } })
      return
    }
    const freeSlot = slots.take(module)
    await limit(() => run(own, handlers))
    freeSlot()
    if (outbox.size() === 0) claims.cover()
    changes.tell()
  }

  async function run(own: HeldTask, handlers: HandlerModule): Promise<void> {
    const { claimToken } = own.task
    if (!held.has(claimToken)) return
    if (journal) {
      await journal.begun(own.task)
      // Lost or handed back meanwhile.
      if (!held.has(claimToken)) return
    }
    own.phase = 'running'
    const end = await runTask(handlers, own.task, {
      ...{ abort: own.abort, reports: own.reports, clock, log },
      attach: piece => connection.retry('attach', () => api.attach(piece, own.abort.signal), own.abort.signal),
    })
    if (!held.has(claimToken)) return
    if ('givenUp' in end) {
      held.delete(claimToken)
      handBack([own.task], { begun: true, reason: end.givenUp })
      return
    }
    own.phase = 'finished'
    const lines = own.reports.rest()
    const answer = lines.length > 0 ? { ...end.answer, lines } : end.answer
    if (journal) await journal.finished(answer)
    outbox.add(answer)
  }

  function handBack(tasks: readonly TaskClaim[], { begun, reason }: { begun: boolean; reason?: string }): void {
    if (tasks.length === 0 || life.signal.aborted) return
    const part = tasks.slice(0, mostReleased)
    const ids = part.map(({ taskId }) => taskId)
    const why = reason !== undefined && { reason: cutText(mendText(reason), 500) }
    const released = { claims: part.map(({ taskId, claimToken }) => ({ taskId, claimToken, begun, ...why })) }
    const sent = connection
      .retry('release', () => api.release(released, life.signal), life.signal)
      .then(
        () => {
          log('info', 'tasks handed back', { tasks: ids })
          for (const task of part) journal?.remove(task)
        },
        error => log('warn', 'tasks not handed back, their leases run out', { tasks: ids, reason: messageOf(error) }),
      )
      .then(() => {
        handingBack.delete(sent)
        changes.tell()
      })
    handingBack.add(sent)
    handBack(tasks.slice(mostReleased), { begun, ...why })
  }

  /** Whatever is done is reported first: an outcome is worth more than a Task that begins anew. */
  async function shutDown(graceMs: number): Promise<void> {
    claiming.abort(new Error('The agent is stopping'))
    if (!started || life.signal.aborted) return
    log('info', 'stopping', { tasks: held.size, graceMs })
    const servicesEnd = services?.stop()
    const queued = [...held.values()].filter(({ phase }) => phase === 'queued')
    for (const { task } of queued) held.delete(task.claimToken)
    handBack(
      queued.map(({ task }) => task),
      { begun: false },
    )
    const isDone = () => held.size === 0 && handingBack.size === 0 && outbox.size() === 0
    await changes.until(isDone, graceMs, life.signal)

    for (const { phase, abort } of held.values())
      if (phase === 'running') abort.abort(new Error('The agent is stopping'))
    await changes.until(isDone, farewellMs, life.signal)
    await Promise.race([servicesEnd, wait(clock, farewellMs, life.signal).catch(() => {})])
    if (outbox.size() > 0)
      log('warn', `results not delivered, ${journal ? 'the journal has them' : 'their leases run out'}`, {
        results: outbox.size(),
      })
  }

  /** The server will not have this agent, and asking again changes nothing. */
  function fail(error: unknown): void {
    if (life.signal.aborted) return
    log('error', 'agent ends', { reason: messageOf(error) })
    void end(error).then(() => rejectStopped(error))
  }

  /** The journal keeps what it has: the next process goes on from there. */
  async function end(reason: unknown): Promise<void> {
    claiming.abort(reason)
    life.abort(reason)
    for (const { abort } of held.values()) abort.abort(reason)
    held.clear()
    void services?.stop()
    await journal?.close()
  }

  return {
    stopped,
    start() {
      if (started || claiming.signal.aborted) return
      started = true
      services?.start()
      if (!journal) return claims.cover()
      journal.open().then(records => {
        if (life.signal.aborted) return
        recover(records)
        claims.cover()
      }, fail)
    },
    stop({ graceMs = defaultGraceMs } = {}) {
      stopping ??= shutDown(graceMs).then(async () => {
        await end(new Error('The agent has stopped'))
        resolveStopped()
      })
      return stopping
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
