import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Fault, type FaultKind, InjectedFault, injected, isCrash } from './fault.ts'
import type { Random } from './random.ts'

/**
 * Lets the statements of several operations through one by one, in an order that the seed chooses, so that transactions
 * of two engines interleave statement by statement and yet the same way each time. After each statement it waits until
 * everything has come to rest: at the turnstile, at its end, or at a lock in PostgreSQL. Which of these it is depends on
 * the state of the database alone, and not on who is faster.
 */
export interface Turnstile {
  /** Runs one operation by itself. */
  alone<T>(life: Life, fault: Fault | undefined, run: () => Promise<T>): Promise<T>
  /** Runs operations at once. */
  together(random: Random, operations: readonly Operation[]): Promise<PromiseSettledResult<unknown>[]>
  /** Who is running: undefined outside of an operation, where nothing is held up and nothing fails. */
  current(): Fiber | undefined
}

export interface Operation {
  life: Life
  fault: Fault | undefined
  run(): Promise<unknown>
}

/** One life of an engine's process. */
export interface Life {
  dead: boolean
}

export interface TurnstileOptions {
  /** How many sessions of the database wait for a lock. */
  countBlocked(): Promise<number>
  /** By when PostgreSQL has looked for a deadlock, after a session began to wait. */
  deadlockMs: number
  onFault(kind: FaultKind): void
  trace(line: string): void
}

export function createTurnstile(options: TurnstileOptions): Turnstile {
  // Only while several run at once: to follow every promise costs a run a tenth of its time.
  const here = new AsyncLocalStorage<Fiber>()
  let single: Fiber | undefined
  return {
    current: () => single ?? here.getStore(),
    async alone(life, fault, run) {
      single = createFiber(0, life, fault, options, false)
      try {
        return await run()
      } finally {
        single = undefined
      }
    },
    async together(random, operations) {
      const fibers = operations.map(({ life, fault }, number) => createFiber(number, life, fault, options, true))
      const ends = Promise.allSettled(
        operations.map(async ({ run }, number) => {
          const fiber = fibers[number] as Fiber
          try {
            return await here.run(fiber, run)
          } finally {
            fiber.isOver = true
          }
        }),
      )
      let blocked = 0
      for (;;) {
        blocked = await rest(fibers, blocked, options)
        const ready = fibers.filter(fiber => fiber.isAtGate())
        if (!ready.length && fibers.every(fiber => fiber.isOver)) {
          here.disable()
          return ends
        }
        if (ready.length) random.pick(ready).letThrough()
      }
    },
  }
}

/** Waits until each is at the turnstile, over, or at a lock; says how many are at locks. */
async function rest(fibers: readonly Fiber[], blockedBefore: number, options: TurnstileOptions): Promise<number> {
  const startedAt = performance.now()
  for (let looks = 0; ; looks++) {
    await new Promise(setImmediate)
    const busy = () => fibers.filter(fiber => !fiber.isOver && !fiber.isAtGate()).length
    if (!busy()) return 0
    if (looks < 20 && busy() > blockedBefore) continue
    const wait = performance.now() - startedAt
    if (wait > 30_000) throw new Error('The operations neither go on nor wait for a lock')
    if (wait < 2 && busy() > blockedBefore) continue
    const count = busy()
    if ((await options.countBlocked()) !== count || busy() !== count) continue
    if (count <= blockedBefore && fibers.some(fiber => fiber.isAtGate())) return count
    // Newly blocked: only the last one to block may be chosen to break a deadlock, so let PostgreSQL have looked by then.
    await delay(options.deadlockMs)
    if ((await options.countBlocked()) === count && busy() === count) {
      if (fibers.some(fiber => fiber.isAtGate())) return count
    }
  }
}

/** One operation on its way. */
export interface Fiber {
  isOver: boolean
  isAtGate(): boolean
  letThrough(): void
  /** Waits for its turn, and meets its fault there. */
  pass(gate: 'statement' | 'commit', scope: Scope | undefined): Promise<void>
  /** Something of it is on its way to the database and back. */
  during<T>(run: () => Promise<T>): Promise<T>
  /** The moment after a commit. */
  afterCommit(): void
}

/** A transaction. What is still at the turnstile when it is over does not go through any more. */
export interface Scope {
  over: boolean
  /** Its connection is gone. */
  breaks(error: unknown): void
}

function createFiber(
  number: number,
  life: Life,
  fault: Fault | undefined,
  { trace, onFault }: TurnstileOptions,
  gated: boolean,
): Fiber {
  const turns: (() => void)[] = []
  let onTheWay = 0
  const seen = { statement: 0, commit: 0 }
  let commits = 0

  const happen = (kind: FaultKind): never => {
    if (isCrash(kind)) life.dead = true
    trace(`    ${number}: ${kind}`)
    onFault(kind)
    throw injected(kind)
  }

  return {
    isOver: false,
    isAtGate: () => onTheWay === 0 && turns.length > 0,
    letThrough: () => turns.shift()?.(),
    async pass(gate, scope) {
      if (gated) {
        await new Promise<void>(resolve => turns.push(resolve))
        trace(`    ${number}: ${gate}`)
      }
      if (life.dead) throw new InjectedFault('The process is dead', 'CONNECTION_CLOSED')
      if (scope?.over) throw new InjectedFault('The transaction is over', 'CONNECTION_CLOSED')
      const count = seen[gate]++
      if (fault?.at !== count) return
      const { kind } = fault
      if (gate === 'commit' ? kind.endsWith('before a commit') : scope && meetsStatements(kind)) happen(kind)
    },
    async during(run) {
      onTheWay++
      try {
        return await run()
      } finally {
        onTheWay--
      }
    },
    afterCommit() {
      if (fault?.kind.endsWith('after a commit') && fault.at === commits++) happen(fault.kind)
    },
  }
}

const meetsStatements = (kind: FaultKind) => kind === 'crash in a transaction' || kind === 'deadlock'
