import { type ClaimedTask, ContractorError, type HandlerModule } from '@contractor/core/plugin'
import pLimit from 'p-limit'
import { createChanges } from './changes.ts'
import { createClaimLoop } from './claim-loop.ts'
import { type Clock, systemClock } from './clock.ts'
import { createConnection } from './connection.ts'
import { createDispatchApi } from './dispatch-api.ts'
import type { HeldTask, HeldTasks } from './held-task.ts'
import { createLeaseKeeper } from './lease-keeper.ts'
import type { Log } from './log.ts'
import { createOutbox } from './outbox.ts'
import { runTask } from './run-task.ts'
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
  /** How many Tasks at once, by module, from 1 to 1000; 4 unless said. */
  concurrency?: Readonly<Record<string, number>>
  log?: Log
  fetch?: typeof fetch
  clock?: Clock
  /** From 0 to 1, for the jitter of retries. */
  random?: () => number
}

export interface SubContractor {
  /** Begins to claim. Does nothing when it was started before. */
  start(): void
  /**
   * Claims no more; gives running handlers `graceMs` (10,000 unless said) to finish and report; aborts the rest and hands
   * them back. Resolves when all of that is done, or found impossible. Called again, it is the same stop.
   */
  stop(options?: { graceMs?: number }): Promise<void>
  /**
   * Resolves after a stop. Rejects when the server refuses this agent for good: UNAUTHENTICATED or FORBIDDEN for its
   * token, SERVER_UNREACHABLE or VALIDATION_FAILED for a server that is no Contractor, or of another version.
   */
  readonly stopped: Promise<void>
}

const defaultConcurrency = 4
const defaultGraceMs = 10_000
/** What the last messages of a shutdown may take. */
const farewellMs = 5000

/** The agent, ready to start. Throws PLUGIN_INVALID for two modules of one name, or a concurrency that cannot be. */
export function createSubContractor(options: SubContractorOptions): SubContractor {
  const { server, name: agent, clock = systemClock, log = () => {}, random = Math.random } = options
  const modules = new Map(options.handlers.map(handlers => [handlers.module, handlers]))
  const concurrency = concurrencyOf(options)
  const limits = new Map([...concurrency].map(([module, limit]) => [module, pLimit(limit)]))

  /** Aborted when claiming ends: with that, a shutdown begins. */
  const claiming = new AbortController()
  /** Aborted when everything ends. */
  const life = new AbortController()
  const held: HeldTasks = new Map()
  const handingBack = new Set<Promise<void>>()
  const slots = createSlots(concurrency)
  const changes = createChanges(clock)
  const connection = createConnection({ clock, log, random, server })
  const api = createDispatchApi({ server, token: options.token, clock, fetch: options.fetch ?? fetch })
  const leases = createLeaseKeeper({ held, api, connection, clock, log, signal: life.signal, onFatal: fail })
  const claims = createClaimLoop({
    agent,
    slots,
    api,
    connection,
    clock,
    random,
    signal: claiming.signal,
    onTasks: accept,
    onFatal: fail,
  })
  const outbox = createOutbox({
    api,
    connection,
    log,
    signal: life.signal,
    offer: () => (claiming.signal.aborted ? undefined : slots.offer()),
    claimOf: offer => ({ agent, modules: offer.modules, waitMs: 0 }),
    onTasks: accept,
    onSettled(result) {
      held.delete(result.claimToken)
      changes.tell()
    },
    onEmpty: claims.cover,
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
    own.phase = 'running'
    const end = await runTask(handlers, own.task, { signal: own.abort.signal, clock, log })
    if (!held.has(claimToken)) return
    if (end === 'given-up') {
      held.delete(claimToken)
      handBack([own.task], { begun: true })
      return
    }
    own.phase = 'finished'
    outbox.add(end)
  }

  function handBack(tasks: readonly ClaimedTask[], { begun }: { begun: boolean }): void {
    if (tasks.length === 0 || life.signal.aborted) return
    const ids = tasks.map(({ taskId }) => taskId)
    const released = { claims: tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, begun })) }
    const sent = connection
      .retry(() => api.release(released, life.signal), life.signal)
      .then(
        () => log('info', 'tasks handed back', { tasks: ids }),
        error => log('warn', 'tasks not handed back, their leases run out', { tasks: ids, reason: messageOf(error) }),
      )
      .then(() => {
        handingBack.delete(sent)
        changes.tell()
      })
    handingBack.add(sent)
  }

  /** Whatever is done is reported first: an outcome is worth more than a Task that begins anew. */
  async function shutDown(graceMs: number): Promise<void> {
    claiming.abort(new Error('The agent is stopping'))
    if (!started || life.signal.aborted) return
    log('info', 'stopping', { tasks: held.size, graceMs })
    const queued = [...held.values()].filter(({ phase }) => phase === 'queued')
    for (const { task } of queued) held.delete(task.claimToken)
    handBack(
      queued.map(({ task }) => task),
      { begun: false },
    )
    await changes.until(() => held.size === 0 && handingBack.size === 0, graceMs, life.signal)

    for (const { phase, abort } of held.values())
      if (phase === 'running') abort.abort(new Error('The agent is stopping'))
    await changes.until(() => held.size === 0 && handingBack.size === 0, farewellMs, life.signal)
    if (outbox.size() > 0) log('warn', 'results not delivered, their leases run out', { results: outbox.size() })
  }

  /** The server will not have this agent, and asking again changes nothing. */
  function fail(error: unknown): void {
    if (life.signal.aborted) return
    log('error', 'agent ends', { reason: messageOf(error) })
    rejectStopped(error)
    end(error)
  }

  function end(reason: unknown): void {
    claiming.abort(reason)
    life.abort(reason)
    for (const { abort } of held.values()) abort.abort(reason)
    held.clear()
  }

  return {
    stopped,
    start() {
      if (started || claiming.signal.aborted) return
      started = true
      claims.cover()
    },
    stop({ graceMs = defaultGraceMs } = {}) {
      stopping ??= shutDown(graceMs).then(() => {
        end(new Error('The agent has stopped'))
        resolveStopped()
      })
      return stopping
    },
  }
}

function concurrencyOf({ handlers, concurrency = {} }: SubContractorOptions): Map<string, number> {
  const names = handlers.map(({ module }) => module)
  const limits = new Map(names.map(name => [name, concurrency[name] ?? defaultConcurrency]))
  for (const name of names)
    if (names.indexOf(name) !== names.lastIndexOf(name))
      throw new ContractorError('PLUGIN_INVALID', `Two plugins have handlers of module '${name}'`, { plugin: name })
  for (const name of Object.keys(concurrency))
    if (!limits.has(name))
      throw new ContractorError(
        'PLUGIN_INVALID',
        `A concurrency is given for module '${name}', which this agent does not have; it has ${names.join(', ')}`,
        { plugin: name },
      )
  for (const [name, limit] of limits)
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
      throw new ContractorError(
        'PLUGIN_INVALID',
        `The concurrency of module '${name}' must be a whole number from 1 to 1000, and is ${limit}`,
        { plugin: name },
      )
  return limits
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
