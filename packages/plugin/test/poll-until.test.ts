import { defineModule, defineTasks, pollUntil } from '@contractor/plugin'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const tasks = defineTasks({
  power: { params: z.object({ host: z.string() }), result: z.object({ state: z.enum(['on', 'off', 'broken']) }) },
})
const waitForOff = (agreeing = 1) =>
  pollUntil({
    args: z.object({ host: z.string(), timeout: z.number().default(30) }),
    task: tasks.power,
    params: ({ host }) => ({ host }),
    result: z.literal(true),
    until: ({ state }) =>
      state === 'off'
        ? { done: true as const }
        : state === 'broken'
          ? { failed: 'It burns' }
          : { waiting: `it is ${state}` },
    everyMs: 5000,
    timeoutMs: ({ timeout }) => timeout * 1000,
    agreeing,
    message: ({ host }) => `Waiting for ${host} to be off`,
  })

/** Walks a call along what the looks see; what it is after each. */
function walk(definition: ReturnType<typeof waitForOff>, ...looks: (string | Error)[]) {
  const context = createFunctionContext({ now: 1000 })
  let now = 1000
  let state = definition.state.parse(definition.start({ host: 'a', timeout: 12 }, context))
  const outcomes = [definition.outcome(state)]
  for (const seen of looks) {
    if (!definition.request?.(state)) {
      const outcome = definition.outcome(state)
      now = 'wakeAt' in outcome ? (outcome.wakeAt ?? now) : now
      state = definition.state.parse(definition.receive?.(state, { now, kind: 'timer' }))
    }
    now += 100
    const reply =
      seen instanceof Error
        ? ({
            now,
            kind: 'failed',
            error: { code: 'X', message: seen.message, retryable: seen.name === 'later' },
          } as const)
        : ({ now, kind: 'result', value: { state: seen } } as const)
    state = definition.state.parse(definition.receive?.(state, reply))
    outcomes.push(definition.outcome(state))
  }
  return { last: outcomes.at(-1), outcomes, message: definition.message?.(state) }
}

const later = (message: string) => Object.assign(new Error(message), { name: 'later' })

describe('pollUntil', () => {
  it('keeps the laws', async () => {
    const plugin = defineModule({ name: 'bmc', tasks, functions: { wait_for_off: waitForOff(3) } })
    const options = { args: { wait_for_off: [{ host: 'a' }] }, replies: { power: [{ state: 'on' }, { state: 'off' }] } }
    for (const law of pluginLaws(plugin, undefined, options)) await law.run()
  })

  it('looks again after a while, and is done once it is so', () => {
    const { outcomes, message } = walk(waitForOff(), 'on')
    expect(outcomes).toEqual([{ kind: 'pending' }, { kind: 'pending', wakeAt: 6100 }])
    expect(message).toBe('Waiting for a to be off (last: it is on)')
    expect(walk(waitForOff(), 'on', 'off').last).toEqual({ kind: 'done', value: true })
  })

  it('ends in an error after its time, and not before a look has shown it', () => {
    const late = walk(waitForOff(), 'on', 'on', 'on')
    expect(late.last).toMatchObject({ kind: 'pending' })
    expect(walk(waitForOff(), 'on', 'on', 'on', 'on').last).toEqual({
      kind: 'error',
      message: 'Waiting for a to be off: not so within 12 s (last: it is on)',
    })
    expect(walk(waitForOff(), 'on', 'on', 'on', 'off').last).toEqual({ kind: 'done', value: true })
  })

  it('ends at once with what cannot become so', () => {
    expect(walk(waitForOff(), 'broken').last).toEqual({ kind: 'error', message: 'It burns' })
    expect(walk(waitForOff(), new Error('no such host')).last).toEqual({ kind: 'error', message: 'no such host' })
  })

  it('looks again after a failure that may pass', () => {
    expect(walk(waitForOff(), later('no answer'), 'off').last).toEqual({ kind: 'done', value: true })
  })

  it('wants as many looks in a row to agree as it says', () => {
    expect(walk(waitForOff(3), 'off', 'off').last).toMatchObject({ kind: 'pending' })
    expect(walk(waitForOff(3), 'off', 'off', 'off').last).toEqual({ kind: 'done', value: true })
    expect(walk(waitForOff(3), 'off', 'on', 'off', 'off').last).toMatchObject({ kind: 'pending' })
  })
})
