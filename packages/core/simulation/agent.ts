import type { AgentIdentity } from '@contractor/core'
import type { ClaimedTask, TaskResult } from '@contractor/plugin/wire'
import type { TaskName } from './anvil.ts'
import { type EngineSlot, leaseMs, type Request } from './engine-slot.ts'
import { callIdOf, type Exchange, type Shown, stepOf, Violation } from './laws.ts'
import { readingOf } from './script.ts'
import type { World } from './world.ts'

export const identity: AgentIdentity = { name: 'agents', sites: ['lab'], modules: ['anvil'] }

/** A Task as an agent holds it. */
interface Held {
  task: ClaimedTask
  /** By the agent's own reckoning: from when it asked. */
  leaseEndsMs: number
  answer?: { result: TaskResult; as: Shown['as'] }
}

/** How the network treats one request. */
export interface Weather {
  lost: 'nothing' | 'request' | 'reply' | 'reply, and the server knows'
  /** How often each answer goes out. */
  copies: number
}

export const fairWeather: Weather = { lost: 'nothing', copies: 1 }

/**
 * An agent as the real one behaves over the wire: it begins nothing after its lease is out, it sends its answers until
 * it hears that they were taken or refused, and it may die at any moment and forget everything.
 */
export interface SimulatedAgent {
  readonly name: string
  /** How many Tasks it has not begun, and how many it has answers for. */
  counts(): { idle: number; answered: number; old: number }
  /** Does one Task that it holds. False when there was none. */
  work(): boolean
  claim(engine: EngineSlot, weather: Weather, slots: number): Request
  answer(engine: EngineSlot, weather: Weather, slots: number): Request
  /** Shows claims that it had long ago, as a delayed copy of a request would. */
  repeatOld(engine: EngineSlot): Request
  renew(engine: EngineSlot, weather: Weather): Request
  release(engine: EngineSlot, weather: Weather): Request
  /** Its process is killed. */
  die(): void
}

type Answer = Pick<Exchange, 'accepted' | 'tasks'>

export function createAgent(name: string, world: World): SimulatedAgent {
  const { random, ledger } = world
  let held: Held[] = []
  /** What it has shown, for the copies that a network may keep. */
  const old: { result: TaskResult; shown: Shown }[] = []
  const now = () => world.clock.date.getTime()
  const isIdle = (one: Held) => !one.answer
  const withLease = (one: Held) => now() < one.leaseEndsMs

  /** Sends a request and keeps the books: what happened is recorded, whether the agent hears of it or not. */
  const request = (
    label: string,
    engine: EngineSlot,
    weather: Weather,
    shown: readonly Shown[],
    send: (signal: AbortSignal | undefined) => Promise<Answer>,
    heard: (answer: Answer, sentAtMs: number) => void,
  ): Request => ({
    label: `${name} ${label}${weather.lost === 'nothing' ? '' : ` (lost: ${weather.lost})`}`,
    engine,
    async run() {
      if (weather.lost === 'request') return
      const sentAtMs = now()
      const exchange: Exchange = { shown, tasks: [] }
      world.exchanges.push(exchange)
      const answer = await send(weather.lost === 'reply, and the server knows' ? AbortSignal.abort() : undefined)
      Object.assign(exchange, answer)
      world.trace(
        `    ${name} ${shown.length ? `${JSON.stringify(answer.accepted)} ` : ''}gets ${answer.tasks.map(describe).join(', ') || 'nothing'}`,
      )
      if (weather.lost === 'nothing' && !engine.life.dead) heard(answer, sentAtMs)
    },
  })

  const describe = (task: ClaimedTask) => `${task.function} ${stepOf(task)} ${callIdOf(task)} (Task ${task.taskId})`
  const take = ({ tasks }: Answer, sentAtMs: number) => {
    for (const task of tasks) held.push({ task, leaseEndsMs: sentAtMs + leaseMs })
  }
  const claimOf = (slots: number) => ({ agent: name, modules: { anvil: { slots } }, waitMs: 0 })
  const drop = (shown: readonly Shown[]) => {
    const tokens = new Set(shown.map(one => one.claim.claimToken))
    held = held.filter(one => !tokens.has(one.task.claimToken))
  }
  const sorted = (tasks: readonly ClaimedTask[]) => [...tasks].sort((one, other) => one.taskId - other.taskId)

  /** What PostgreSQL takes in no text. */
  const poison = (): string => {
    if (!random.chance(0.06)) return ''
    world.count('poison texts')
    return random.pick(['a\0b', '\ud83d', '\ude00 and more'])
  }

  /** What the handler does in the world, and says. */
  const handle = (task: ClaimedTask): NonNullable<Held['answer']> => {
    const { taskId, claimToken } = task
    const step = stepOf(task)
    const callId = callIdOf(task)
    const claim = { taskId, claimToken }
    if (task.function === 'look') {
      const done = ledger.countOf(callId) > 0
      return {
        result: { ...claim, result: { reading: done ? readingOf(step) : null } },
        as: done ? 'done' : 'not done',
      }
    }
    const refusal = ledger.refusal(step)
    if (refusal) {
      const error = { code: 'TASK_FAILED', message: `${step} refuses${poison()}`, retryable: refusal === 'retryable' }
      return { result: { ...claim, error }, as: error.retryable ? 'failed for now' : 'failed' }
    }
    if ((task.function === 'strike' || task.function === 'weld') && ledger.countOf(callId) > 0)
      throw new Violation('an effect that must not be repeated is had once', describe(task))
    ledger.enter({ step, callId, task: task.function as TaskName })
    world.count('steps')
    if (random.chance(world.calm ? 0 : 0.02)) {
      world.count('malformed answers')
      return { result: { ...claim, result: { reading: 'high' } }, as: 'malformed' }
    }
    const note = poison()
    const said = { reading: readingOf(step), did: task.function, ...(note && { note }) }
    return { result: { ...claim, result: said }, as: 'done' }
  }

  return {
    name,
    counts: () => ({
      idle: held.filter(isIdle).length,
      answered: held.filter(one => one.answer).length,
      old: old.length,
    }),
    work() {
      held = held.filter(one => one.answer || withLease(one))
      const one = held.find(isIdle)
      if (!one) return false
      one.answer = handle(one.task)
      world.trace(`  ${name} does ${describe(one.task)}: ${one.answer.as}`)
      return true
    },
    claim(engine, weather, slots) {
      const send = async (signal: AbortSignal | undefined) => ({
        tasks: sorted(await engine.dispatch.claim(identity, claimOf(slots), signal)),
      })
      return request(`claims ${slots}`, engine, weather, [], send, take)
    },
    answer(engine, weather, slots) {
      const answers = held.flatMap(one => (one.answer ? [{ ...one.answer, task: one.task }] : []))
      const copies = Array.from({ length: weather.copies }, () => answers).flat()
      const shown = copies.map(({ result, as, task }): Shown => ({ claim: result, task, as }))
      old.push(...copies.map(({ result }, at) => ({ result, shown: shown[at] as Shown })))
      const results = copies.map(one => one.result)
      const send = async (signal: AbortSignal | undefined): Promise<Answer> => {
        const reply = await engine.dispatch.exchange(
          identity,
          { results, ...(slots > 0 && { claim: claimOf(slots) }) },
          signal,
        )
        return { accepted: reply.results.map(one => one.accepted), tasks: sorted(reply.tasks) }
      }
      return request(`answers ${results.length}, wants ${slots}`, engine, weather, shown, send, (answer, sentAtMs) => {
        drop(shown)
        take(answer, sentAtMs)
      })
    },
    repeatOld(engine) {
      const { result, shown } = random.pick(old.slice(-6))
      const send = async () => ({
        accepted: (await engine.dispatch.results(identity, [result])).map(one => one.accepted),
        tasks: [],
      })
      return request('repeats an old answer', engine, fairWeather, [shown], send, () => undefined)
    },
    renew(engine, weather) {
      const renewed = [...held]
      const shown = renewed.map(({ task }): Shown => ({ claim: task, task, as: 'renewal' }))
      const claims = renewed.map(({ task: { taskId, claimToken } }) => ({ taskId, claimToken }))
      const send = async () => ({
        accepted: (await engine.dispatch.renew(identity, claims)).map(one => one.accepted),
        tasks: [],
      })
      return request(`renews ${claims.length}`, engine, weather, shown, send, ({ accepted }, sentAtMs) => {
        renewed.forEach((one, at) => {
          if (accepted?.[at]) one.leaseEndsMs = sentAtMs + leaseMs
          else if (isIdle(one)) held = held.filter(other => other !== one)
        })
      })
    },
    release(engine, weather) {
      const released = held.filter(isIdle).map(one => ({ one, begun: random.chance(0.3) }))
      // What it gives back it does not do any more, whether anybody hears of it or not.
      held = held.filter(one => !isIdle(one))
      const shown = released.map(
        ({ one: { task }, begun }): Shown => ({ claim: task, task, as: begun ? 'begun' : 'unbegun' }),
      )
      const claims = released.map(({ one: { task }, begun }) => ({
        taskId: task.taskId,
        claimToken: task.claimToken,
        begun,
      }))
      const send = async () => ({
        accepted: (await engine.dispatch.release(identity, claims)).map(one => one.accepted),
        tasks: [],
      })
      return request(`hands back ${claims.length}`, engine, weather, shown, send, () => undefined)
    },
    die() {
      world.trace(`  ${name} dies with ${held.length} Tasks`)
      held = []
    },
  }
}
