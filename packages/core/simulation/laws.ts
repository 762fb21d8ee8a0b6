import type { ClaimedTask, TaskClaim } from '@contractor/plugin/wire'
import type { TaskName } from './anvil.ts'

/** A law that was broken: what ends a run and makes its seed a failing one. */
export class Violation extends Error {
  readonly law: string

  constructor(law: string, detail: string) {
    super(`${law}: ${detail}`)
    this.law = law
  }
}

/** What an agent shows, and what an answer says. */
export interface Shown {
  claim: TaskClaim
  task: ClaimedTask
  as: 'done' | 'failed' | 'failed for now' | 'not done' | 'malformed' | 'unbegun' | 'begun' | 'renewal'
}

/** One request of an agent with what came of it; statuses are unknown when the engine failed meanwhile. */
export interface Exchange {
  shown: readonly Shown[]
  accepted?: readonly boolean[] | undefined
  tasks: readonly ClaimedTask[]
}

/** What the dispatch has promised, watched from outside: by whoever sees all requests and replies, also the lost ones. */
export interface DispatchLaws {
  /** What happened since the last time, at once: statuses count before the Tasks that the same replies bring. */
  record(exchanges: readonly Exchange[]): void
}

interface CallRecord {
  /** How often it may be handed out still. */
  permits: number
  latest: string
  isAnswered: boolean
}

export const callIdOf = (task: ClaimedTask) => (task.params as { callId: string }).callId
export const stepOf = (task: ClaimedTask) => (task.params as { step: string }).step

export function createDispatchLaws(): DispatchLaws {
  const calls = new Map<string, CallRecord>()
  const taken = new Set<string>()
  const permitted = new Set<string>()

  /** `now` has the claims that were taken in requests made at once: of copies among these, more than one may be told so. */
  const accept = ({ claim: { claimToken }, task, as }: Shown, call: CallRecord, now: Set<string>): void => {
    const what = `${task.function} of ${callIdOf(task)} (${as})`
    if (call.latest !== claimToken) throw new Violation('a claim that was lost is worth nothing', what)
    if (as === 'renewal') return
    if (taken.has(claimToken) && !now.has(claimToken))
      throw new Violation('a claim token is accepted at most once', what)
    taken.add(claimToken)
    now.add(claimToken)
    if (isAnswer(task.function as TaskName, as)) call.isAnswered = true
  }

  /** An answer that may have been taken permits what it permits, once. */
  const permit = ({ claim: { claimToken }, as }: Shown, call: CallRecord): void => {
    if ((as !== 'not done' && as !== 'unbegun') || permitted.has(claimToken)) return
    permitted.add(claimToken)
    call.permits++
  }

  const handOut = (task: ClaimedTask): void => {
    const id = callIdOf(task)
    const call = calls.get(id) ?? { permits: 1, latest: '', isAnswered: false }
    calls.set(id, call)
    call.latest = task.claimToken
    const what = `${task.function} of ${id}, step ${stepOf(task)}`
    if (call.isAnswered) throw new Violation('what was answered is not asked again', what)
    if (task.function !== 'strike' && task.function !== 'weld') return
    if (call.permits-- < 1)
      throw new Violation('what must not be repeated is not issued again without an observation or an operator', what)
  }

  return {
    record(exchanges) {
      const now = new Set<string>()
      for (const { shown, accepted } of exchanges) {
        const once = new Set<string>()
        shown.forEach((one, at) => {
          // A copy in the same request is one answer, shown twice.
          if (once.has(one.claim.claimToken)) return
          once.add(one.claim.claimToken)
          const call = calls.get(callIdOf(one.task))
          if (!call) throw new Error('An agent shows what it was never given')
          if (accepted?.[at]) accept(one, call, now)
          if (accepted === undefined || accepted[at]) permit(one, call)
        })
      }
      for (const task of exchanges.flatMap(({ tasks }) => tasks)) handOut(task)
    },
  }
}

/** Whether the call is over with this: an operator's reset makes another call. */
function isAnswer(name: TaskName, as: Shown['as']): boolean {
  // What undoes a call is asked again in that call's name when it has failed and an operator says so.
  if (name === 'release') return as === 'done'
  if (as === 'done' || as === 'failed' || as === 'malformed') return name !== 'look' || as === 'done'
  // What may neither be repeated nor seen has failed with that; what can be seen is looked at first.
  return as === 'failed for now' && name === 'weld'
}
