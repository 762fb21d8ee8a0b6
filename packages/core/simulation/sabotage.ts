import { isStorable } from '@contractor/contract'
import type { Contractor } from '@contractor/core'
import type { ClaimedTask } from '@contractor/plugin/wire'
import type { Sql } from 'postgres'

type Dispatch = Contractor['dispatch']
type Broken = (dispatch: Dispatch) => Dispatch

/** Breaks a law, to see that the simulation sees it: in what the dispatch does, or in the rows behind the engine's back. */
export interface Sabotage {
  dispatch?(dispatch: Dispatch): Dispatch
  /** After whatever was done. */
  after?(client: Sql): Promise<unknown>
  /** Before an engine that was stopped is started again. */
  beforeStart?(client: Sql): Promise<unknown>
}

/** Takes the answers of all who ever had a Task as if they came from who has it now. */
function createStaleClaims(): Broken {
  const latest = new Map<string, ClaimedTask>()
  const callOf = (task: ClaimedTask) => (task.params as { callId: string }).callId
  const calls = new Map<string, string>()
  const learn = (tasks: readonly ClaimedTask[]) => {
    for (const task of tasks) {
      latest.set(callOf(task), task)
      calls.set(task.claimToken, callOf(task))
    }
  }
  const present = <T extends { taskId: number; claimToken: string }>(one: T): T => {
    const task = latest.get(calls.get(one.claimToken) ?? '')
    return task ? { ...one, taskId: task.taskId, claimToken: task.claimToken } : one
  }
  return dispatch => ({
    ...dispatch,
    async claim(...given) {
      const tasks = await dispatch.claim(...given)
      learn(tasks)
      return tasks
    },
    results: (agent, results) => dispatch.results(agent, results.map(present)),
    async exchange(agent, request, signal) {
      const reply = await dispatch.exchange(agent, { ...request, results: request.results.map(present) }, signal)
      learn(reply.tasks)
      return reply
    },
  })
}

/** Tells everybody that their answer was taken. */
const acceptTwice = (): Broken => dispatch => ({
  ...dispatch,
  results: async (...given) => (await dispatch.results(...given)).map(one => ({ ...one, accepted: true })),
  async exchange(...given) {
    const reply = await dispatch.exchange(...given)
    return { ...reply, results: reply.results.map(one => ({ ...one, accepted: true })) }
  },
})

/** Does not look: whatever is to be observed was not done. */
const neverLook = (): Broken => dispatch => {
  const blind = async (agent: Parameters<Dispatch['claim']>[0], tasks: readonly ClaimedTask[]) => {
    const looks = tasks.filter(task => task.function === 'look')
    if (looks.length) {
      await dispatch.results(
        agent,
        looks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { reading: null } })),
      )
    }
    return tasks.filter(task => task.function !== 'look')
  }
  return {
    ...dispatch,
    claim: async (agent, ...given) => blind(agent, await dispatch.claim(agent, ...given)),
    async exchange(agent, ...given) {
      const reply = await dispatch.exchange(agent, ...given)
      return { ...reply, tasks: await blind(agent, reply.tasks) }
    },
  }
}

/** Says that it took an answer, and forgets it. */
const forget = (): Broken => dispatch => {
  let answers = 0
  return {
    ...dispatch,
    async exchange(agent, request, signal) {
      if (answers++ % 5 !== 4) return dispatch.exchange(agent, request, signal)
      return { results: request.results.map(({ taskId }) => ({ taskId, accepted: true })), tasks: [] }
    },
  }
}

/** Answers in the agent's place, without anything having been done. */
const skipSteps = (): Broken => dispatch => {
  let tasks = 0
  return {
    ...dispatch,
    async claim(agent, ...given) {
      const claimed = await dispatch.claim(agent, ...given)
      const skipped = claimed.filter(task => task.function !== 'look' && tasks++ % 4 === 3)
      if (skipped.length) {
        await dispatch.results(
          agent,
          skipped.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { reading: 1 } })),
        )
      }
      return claimed.filter(task => !skipped.includes(task))
    },
  }
}

/** Lets one text that cannot be kept take the whole message down with it. */
const poisonForAll = (): Sabotage => ({
  dispatch: dispatch => ({
    ...dispatch,
    async exchange(agent, request, signal) {
      const texts = request.results.flatMap(({ result, error }) => [
        ...Object.values(result ?? {}),
        error?.message ?? '',
      ])
      if (texts.some(text => typeof text === 'string' && !isStorable(text)))
        throw new Error('unsupported Unicode escape sequence')
      return dispatch.exchange(agent, request, signal)
    },
  }),
})

/** Statements that undo what the engine has done for a rule. */
const statement = (text: string) => (client: Sql) => client.unsafe(text)

/** By name, as the command takes them. Each is made anew for each run. */
export const sabotages: Readonly<Record<string, () => Sabotage>> = {
  'stale-claims': () => ({ dispatch: createStaleClaims() }),
  'accept-twice': () => ({ dispatch: acceptTwice() }),
  'never-look': () => ({ dispatch: neverLook() }),
  forget: () => ({ dispatch: forget() }),
  'skip-steps': () => ({ dispatch: skipSteps() }),
  /** Whatever answer comes is the one that is awaited. */
  'any-answer': () => ({
    after: statement(
      `update contractor.task set revoked_at = null,
         request = coalesce(job.undoing #>> '{current,awaits}', job.vm #>> '{pending,state,awaits}', '')
       from contractor.job where job.id = task.job and task.revoked_at is not null`,
    ),
  }),
  'poison-for-all': poisonForAll,
  'lose-wakes': () => ({ after: statement('delete from contractor.wake') }),
  /** Nobody knows any more that there was a server before. */
  'silence-in-absence': () => ({ beforeStart: statement('delete from contractor.engine_process') }),
  'forget-reasons': () => ({ after: statement(`update contractor.job set reason = null where reason is not null`) }),
  'no-turns': () => ({ after: statement('update contractor.task set has_turn = true where not has_turn') }),
  'stay-in-site': () => ({ after: statement(`update contractor.task set site = 'lab' where site <> 'lab'`) }),
}
