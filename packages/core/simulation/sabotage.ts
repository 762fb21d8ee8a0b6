import type { Contractor } from '@contractor/core'
import type { ClaimedTask } from '@contractor/core/plugin'

type Dispatch = Contractor['dispatch']

/** Makes a dispatch that breaks a law, to see that the simulation sees it. */
export type Sabotage = (dispatch: Dispatch) => Dispatch

/** Takes the answers of all who ever had a Task as if they came from who has it now. */
function createStaleClaims(): Sabotage {
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
const acceptTwice = (): Sabotage => dispatch => ({
  ...dispatch,
  results: async (...given) => (await dispatch.results(...given)).map(one => ({ ...one, accepted: true })),
  async exchange(...given) {
    const reply = await dispatch.exchange(...given)
    return { ...reply, results: reply.results.map(one => ({ ...one, accepted: true })) }
  },
})

/** Does not look: whatever is to be observed was not done. */
const neverLook = (): Sabotage => dispatch => {
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
const forget = (): Sabotage => dispatch => {
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
const skipSteps = (): Sabotage => dispatch => {
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

/** By name, as the command takes them. Each is made anew for each run. */
export const sabotages: Readonly<Record<string, () => Sabotage>> = {
  'stale-claims': createStaleClaims,
  'accept-twice': acceptTwice,
  'never-look': neverLook,
  forget,
  'skip-steps': skipSteps,
}
