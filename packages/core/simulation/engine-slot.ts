import { type Contractor, createContractor, isContractorError } from '@contractor/core'
import type { Sql } from 'postgres'
import { wrapPostgres } from '../src/database/open-postgres.ts'
import { anvil } from './anvil.ts'
import { type Fault, isInjected } from './fault.ts'
import { gateClient } from './gated-client.ts'
import { Violation } from './laws.ts'
import type { Sabotage } from './sabotage.ts'
import type { Life, Operation, Turnstile } from './turnstile.ts'
import type { World } from './world.ts'

export const leaseMs = 10_000

/** A place where a process with an engine runs: when it dies, it is started again. */
export interface EngineSlot {
  readonly name: string
  readonly contractor: Contractor
  readonly dispatch: Contractor['dispatch']
  readonly life: Life
  /** Starts it again if it has died. */
  revive(): Promise<void>
  /** Stops it in good order, until it is started again. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export interface EngineSlotOptions {
  name: string
  client: Sql
  turnstile: Turnstile
  world: Pick<World, 'clock' | 'newId' | 'trace' | 'lockTimeoutMs'>
  sabotage?: Sabotage | undefined
}

export async function createEngineSlot({
  name,
  client,
  turnstile,
  world,
  sabotage,
}: EngineSlotOptions): Promise<EngineSlot> {
  const open = async () => {
    const life: Life = { dead: false }
    const contractor = await createContractor({
      database: await openGated(client, turnstile, life, world),
      plugins: [anvil],
      clock: world.clock,
      newId: world.newId,
      leaseMs,
      foreman: false,
      heartbeat: false,
      log: (_, message, detail) =>
        world.trace(`    log: ${message} ${JSON.stringify(detail?.reason ?? detail?.error ?? '')}`),
    })
    return { life, contractor, dispatch: sabotage?.dispatch?.(contractor.dispatch) ?? contractor.dispatch }
  }
  let current = await open()
  return {
    name,
    get contractor() {
      return current.contractor
    },
    get dispatch() {
      return current.dispatch
    },
    get life() {
      return current.life
    },
    async revive() {
      if (!current.life.dead) return
      await current.contractor.close()
      current = await open()
      world.trace(`  ${name} is started again`)
    },
    stop: () => current.contractor.close(),
    async start() {
      await sabotage?.beforeStart?.(client)
      current = await open()
    },
    close: () => current.contractor.close(),
  }
}

/**
 * On connections that all engines of a run share. A lock is waited for as long as another operation has it, however slowly
 * that is let through; for one that a stranger has, a moment.
 */
async function openGated(client: Sql, turnstile: Turnstile, life: Life, world: Pick<World, 'lockTimeoutMs'>) {
  const gated = gateClient(client, turnstile, life, () => world.lockTimeoutMs())
  const opened = await wrapPostgres(gated, 'the simulation', async () => undefined, false)
  return {
    ...opened,
    get waitMs() {
      return world.lockTimeoutMs()
    },
  }
}

/** Something that is asked of an engine. */
export interface Request {
  label: string
  engine: EngineSlot
  fault?: Fault | undefined
  /** It is about something that a stranger may hold, and may be told so. */
  mayBeLocked?: boolean
  run(): Promise<void>
}

/** Refusals that whoever asks must live with. */
const refusals = ['WRONG_STATE', 'JOB_REFUSED', 'NOT_FOUND', 'IN_USE', 'FORBIDDEN'] as const

/** Makes requests, at once where there are several; an error that is neither injected nor a refusal breaks a law. */
export async function make(
  world: Pick<World, 'turnstile' | 'random' | 'trace'>,
  requests: readonly Request[],
): Promise<void> {
  const operations = requests.map(({ engine, fault, run, label }): Operation => {
    world.trace(`  ${engine.name} ${label}${fault ? ` (${fault.kind} at ${fault.at})` : ''}`)
    return { life: engine.life, fault, run }
  })
  const [only] = operations
  const ends =
    only && operations.length === 1
      ? await Promise.allSettled([world.turnstile.alone(only.life, only.fault, only.run)])
      : await world.turnstile.together(world.random, operations)
  for (const [at, end] of ends.entries()) {
    if (end.status === 'fulfilled') continue
    const reason: unknown = end.reason
    if (reason instanceof Violation) throw reason
    const label = requests[at]?.label ?? ''
    if (isInjected(reason)) {
      world.trace(`    ${label} failed by what was injected`)
      continue
    }
    const isAsking = requests[at]?.mayBeLocked === true
    const code =
      refusals.find(one => isContractorError(reason, one)) ??
      (isAsking && isContractorError(reason, 'LOCKED') ? 'LOCKED' : undefined)
    if (!code) throw new Violation('nothing fails but what was made to fail', `${label}: ${describe(reason)}`)
    world.trace(`    ${label} is refused: ${code}`)
  }
  for (const { engine } of requests) await engine.revive()
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.cause === undefined ? String(thrown.stack) : `${thrown.stack}\n  caused by ${describe(thrown.cause)}`
}
