import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { ContractorError, isContractorError } from '@contractor/contract'
import type { HandlerModule } from '@contractor/plugin'
import {
  type Clock as AgentClock,
  abandonMs,
  createTaskReports,
  runTask,
  type TaskReports,
} from '@contractor/plugin/agent'
import type { ClaimedTask, TaskResult } from '@contractor/plugin/wire'
import type { Engine } from '../../engine/engine.ts'
import { type AgentIdentity, everySite } from '../task/agent-identity.ts'
import type { Dispatch } from './dispatch.ts'

/**
 * An agent in the engine's own process, for programs that need no other: it has the Tasks of its modules in all Sites, by
 * the same dispatch as any agent, with claims and leases, and without server and token. What it had begun when its process
 * died is found out like that of any other agent.
 */
export interface LocalAgent {
  start(): void
  /** Claims no more, aborts what runs, and gives it back. */
  stop(): Promise<void>
}

/** Tasks of one module at once. */
const mostOfModule = 10
const longPollMs = 25_000
/** How long what a handler tells is gathered, in milliseconds. */
const gatherMs = 1_000
/** How long to wait before trying again what the database did not take, in milliseconds. */
const tryAgainMs = 1_000

interface Held {
  readonly task: ClaimedTask
  readonly abort: AbortController
  readonly reports: TaskReports
}

/** Throws PLUGIN_INVALID for handlers of a module that no plugin has, or that were given twice. */
export function createLocalAgent(
  engine: Engine,
  dispatch: Dispatch,
  handlers: readonly HandlerModule[],
): LocalAgent | undefined {
  if (!handlers.length) return undefined
  const modules = byModule(engine, handlers)
  const identity: AgentIdentity = { name: 'this process', sites: [everySite], modules: [...modules.keys()] }
  const name = `${hostname()} (process ${process.pid})`.slice(-100)
  const stopping = new AbortController()
  const held = new Map<string, Held>()
  const work = new Set<Promise<void>>()
  let claiming: Promise<unknown> | undefined
  let news = () => {}
  /** Ends the present poll, or the wait for capacity. */
  let askAnew = () => {}
  /** The modules that the present poll asks for. */
  let asked: readonly string[] = []

  const clock: AgentClock = {
    now: () => performance.now(),
    setTimer(delayMs, run) {
      const cancelled = new AbortController()
      void engine.clock.sleep(delayMs, cancelled.signal).then(() => {
        if (!cancelled.signal.aborted) run()
      })
      return () => cancelled.abort()
    },
  }
  const log = (level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>) =>
    engine.log(level, message, fields && { ...fields })

  /** Until it is done or refused, or until there is no engine any more. */
  async function insist<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (engine.closing.aborted || stopping.signal.aborted) return undefined
        if (isContractorError(error, 'CLAIM_LOST') || isContractorError(error, 'VALIDATION_FAILED')) throw error
        engine.log('warn', `${what}; it is tried again`, {
          error: error instanceof Error ? error.message : String(error),
        })
        await engine.clock.sleep(tryAgainMs, stopping.signal)
      }
    }
  }

  function capacity(): Record<string, { slots: number }> {
    const used = (module: string) => [...held.values()].filter(one => one.task.module === module).length
    const free = [...modules.keys()].map(module => [module, { slots: mostOfModule - used(module) }] as const)
    return Object.fromEntries(free.filter(([, { slots }]) => slots > 0))
  }

  async function claimLoop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const modules = capacity()
      asked = Object.keys(modules)
      const again = new AbortController()
      const freed = new Promise<void>(resolve => {
        askAnew = () => {
          again.abort()
          resolve()
        }
      })
      if (asked.length === 0) {
        await freed
        continue
      }
      const claim = { agent: name, modules, waitMs: longPollMs }
      const signal = AbortSignal.any([stopping.signal, again.signal])
      const tasks = await insist('Tasks cannot be claimed', () => dispatch.claim(identity, claim, signal))
      for (const task of tasks ?? []) begin(task)
    }
  }

  function begin(task: ClaimedTask): void {
    const abort = new AbortController()
    // The lines of a log have the time of the machine that does the work, as any agent's.
    const one: Held = { task, abort, reports: createTaskReports({ now: Date.now, onNews: () => news() }) }
    held.set(task.claimToken, one)
    const done = run(one).finally(() => {
      held.delete(task.claimToken)
      work.delete(done)
      // Of a module that had no capacity when the poll began, it asks for nothing.
      if (!asked.includes(task.module)) askAnew()
    })
    work.add(done)
  }

  async function run({ task, abort, reports }: Held): Promise<void> {
    const own = modules.get(task.module) as HandlerModule
    const end = await runTask(own, task, {
      abort,
      reports,
      clock,
      log,
      attach: async piece =>
        (await insist('An attachment cannot be kept', () => dispatch.attach(identity, piece))) ?? {},
    })
    const { taskId, claimToken } = task
    if ('answer' in end) {
      const lines = reports.rest()
      const answer: TaskResult = lines.length ? { ...end.answer, lines } : end.answer
      await insist('An answer cannot be taken', () => dispatch.results(identity, [answer]))
    } else {
      const given = { taskId, claimToken, begun: true, reason: end.givenUp.slice(0, 500) }
      await insist('A Task cannot be given back', () => dispatch.release(identity, [given]))
    }
  }

  /** Renews what is held at a third of its lease, and sooner when there is something to tell. */
  async function renewLoop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const awake = new AbortController()
      const told = new Promise<void>(resolve => {
        news = resolve
      })
      const signal = AbortSignal.any([stopping.signal, awake.signal])
      await Promise.race([
        engine.clock.sleep(engine.leaseMs / 3, signal),
        told.then(() => engine.clock.sleep(gatherMs, signal)),
      ])
      awake.abort()
      const renewed = [...held.values()].map(one => ({ ...one, news: one.reports.next() }))
      if (!renewed.length || stopping.signal.aborted) continue
      const claims = renewed.map(({ task: { taskId, claimToken }, news: told }) => ({
        taskId,
        claimToken,
        ...(told && { report: told.report }),
      }))
      const statuses = await insist('Leases cannot be renewed', () => dispatch.renew(identity, claims))
      for (const [at, one] of renewed.entries()) {
        if (statuses) one.news?.told()
        const status = statuses?.[at]
        if (status && !status.accepted) one.abort.abort(new Error(status.reason))
      }
    }
  }

  return {
    start() {
      claiming ??= Promise.all([claimLoop(), renewLoop()])
    },
    async stop() {
      stopping.abort()
      askAnew()
      for (const { abort } of held.values()) abort.abort(new Error('Its process closes the engine'))
      await claiming
      // A handler that does not heed its signal is not waited for; its Task's lease runs out.
      const patience = new AbortController()
      await Promise.race([
        Promise.all(work),
        delay(abandonMs * 1.5, undefined, { signal: patience.signal }).catch(() => undefined),
      ])
      patience.abort()
    },
  }
}

function byModule(engine: Engine, handlers: readonly HandlerModule[]): Map<string, HandlerModule> {
  const modules = new Map<string, HandlerModule>()
  for (const own of handlers) {
    const refuse = (reason: string) =>
      new ContractorError('PLUGIN_INVALID', `Handlers of module '${own.module}' cannot be used: ${reason}`, {
        plugin: own.module,
      })
    if (modules.has(own.module)) throw refuse('they were given twice')
    if (!engine.plugins.hasModule(own.module)) throw refuse('no plugin that was given has this module; pass it as well')
    modules.set(own.module, own)
  }
  return modules
}
