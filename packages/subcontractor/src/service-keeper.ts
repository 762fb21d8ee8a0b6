import type { ServiceRunner } from '@contractor/plugin'
import { type Clock, type Log, wait } from '@contractor/plugin/agent'
import type { ServicesReply } from '@contractor/plugin/wire'
import { type Connection, retryDelayMs } from './connection.ts'
import type { DispatchApi } from './dispatch-api.ts'

/**
 * Runs services: asks the server again and again which, starts and ends them accordingly, and starts anew what fails, ever
 * more slowly. An agent that cannot reach the server ends them before its leases do, so that no two run one.
 */
export interface ServiceKeeper {
  start(): void
  /** Ends all of them; resolves once they have ended. */
  stop(): Promise<void>
}

export interface ServiceKeeperOptions {
  agent: string
  runners: readonly ServiceRunner[]
  api: DispatchApi
  connection: Connection
  clock: Clock
  random: () => number
  log: Log
  onFatal(error: unknown): void
}

type Order = ServicesReply['run'][number]

interface Running {
  readonly order: Order
  readonly abort: AbortController
  trouble: string
}

/** How often the server is asked while nothing is run, in milliseconds. */
const idleMs = 5000
/** A service that ran for so long has no past. */
const calmMs = 60_000

export function createServiceKeeper(options: ServiceKeeperOptions): ServiceKeeper | undefined {
  const { agent, api, connection, clock, random, log, onFatal } = options
  if (!options.runners.length) return undefined
  const runners = new Map(options.runners.map(runner => [runner.service, runner]))
  const stopping = new AbortController()
  const running = new Map<number, Running>()
  /** By id: what was run, until it has ended. Nothing runs twice, also not for a moment. */
  const ends = new Map<number, Promise<void>>()
  let cancelLease = () => {}

  async function ask(): Promise<void> {
    while (!stopping.signal.aborted) {
      const { run, sentAt } = await connection.retry('services', send, stopping.signal)
      follow(run)
      const leaseMs = Math.min(...run.map(order => order.leaseMs))
      guard(sentAt + leaseMs)
      await wait(clock, run.length ? leaseMs / 3 : idleMs, stopping.signal)
    }
  }

  async function send() {
    const sentAt = clock.now()
    const shown = [...running.values()].map(({ order: { id, claimToken }, trouble }) => ({ id, claimToken, trouble }))
    const reply = await api.services({ agent, services: [...runners.keys()], running: shown }, stopping.signal)
    return { ...reply, sentAt }
  }

  /** Not heard of until then, the server gives them to others. */
  function guard(endsAt: number): void {
    cancelLease()
    cancelLease = () => {}
    if (!Number.isFinite(endsAt)) return
    cancelLease = clock.setTimer(Math.max(0, endsAt - clock.now()), () => {
      log('warn', 'the server is away for too long: services end, since others may run them now', {
        services: running.size,
      })
      follow([])
    })
  }

  function follow(orders: readonly Order[]): void {
    const wanted = new Map(orders.map(order => [order.id, order]))
    for (const [id, own] of running) {
      const order = wanted.get(id)
      if (order?.claimToken === own.order.claimToken && order.version === own.order.version) continue
      running.delete(id)
      own.abort.abort(new Error(order ? 'It is configured anew' : 'It is not to run here any more'))
    }
    for (const order of orders) if (!running.has(order.id)) begin(order)
  }

  function begin(order: Order): void {
    const own: Running = { order, abort: new AbortController(), trouble: '' }
    running.set(order.id, own)
    const ended = (ends.get(order.id) ?? Promise.resolve())
      .then(() => keep(own))
      .then(() => {
        if (ends.get(order.id) === ended) ends.delete(order.id)
      })
    ends.set(order.id, ended)
  }

  async function keep(own: Running): Promise<void> {
    const { service, site, config } = own.order
    const { signal } = own.abort
    const fields = { service, site }
    for (let failures = 1; !signal.aborted; failures++) {
      const began = clock.now()
      log('info', 'service starts', fields)
      const context = { signal, site, log: (message: string) => log('info', message, fields) }
      const reason = await (runners.get(service) as ServiceRunner).run(config, context).then(
        () => 'it ended by itself',
        error => (error instanceof Error ? error.message : String(error)),
      )
      if (signal.aborted) break
      if (clock.now() - began >= calmMs) failures = 1
      log('warn', 'service has failed, and is started again', { ...fields, reason })
      own.trouble = reason.slice(0, 500)
      await wait(clock, retryDelayMs(failures + 3, random), signal).catch(() => {})
    }
    log('info', 'service has ended', fields)
  }

  return {
    start() {
      ask().catch(error => {
        if (!stopping.signal.aborted) onFatal(error)
      })
    },
    async stop() {
      stopping.abort(new Error('The agent is stopping'))
      cancelLease()
      follow([])
      await Promise.all(ends.values())
    },
  }
}
