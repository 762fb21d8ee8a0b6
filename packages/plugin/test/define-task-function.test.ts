import { type AnyFunction, defineTaskFunction, defineTasks, type Reply } from '@contractor/plugin'
import { createFunctionContext } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const tasks = defineTasks({
  dig: { params: z.object({ call: z.string() }), result: z.object({ hole: z.number() }) },
  fill: { params: z.object({ call: z.string(), hole: z.number().nullable() }), result: z.object({}) },
})
const dig = (rollback?: true) =>
  defineTaskFunction({
    args: z.object({}),
    task: tasks.dig,
    params: (_args, { callId }) => ({ call: callId }),
    result: z.number(),
    value: ({ hole }) => hole,
    undo: {
      task: tasks.fill,
      params: ({ call }, reply) => ({ call, hole: reply?.hole ?? null }),
      fields: { hole: undefined },
      ...(rollback && { rollback }),
    },
  }) as AnyFunction

const failed: Reply = { now: 0, kind: 'failed', error: { code: 'TASK_FAILED', message: 'rock', retryable: false } }

describe('a function of one Task', () => {
  it('takes back what a call may have left that has failed, without its answer, and has no value then', () => {
    const definition = dig(true)
    const broken = definition.receive?.(definition.start({}, createFunctionContext({ callId: 'c1' })), failed)
    expect(definition.outcome(broken)).toEqual({ kind: 'error', message: 'rock' })
    const back = definition.rollback?.(broken)
    expect(definition.request?.(back)).toEqual({ function: 'fill', params: { call: 'c1', hole: null } })
    const taken = definition.receive?.(back, { now: 0, kind: 'result', value: {} })
    expect(definition.outcome(taken)).toEqual({ kind: 'undone', fields: { hole: undefined } })
    expect(definition.outcome(definition.receive?.(back, failed))).toMatchObject({ kind: 'error' })
  })

  it('undoes what was done, by its answer', () => {
    const definition = dig()
    expect(definition.rollback).toBeUndefined()
    const start = definition.start({}, createFunctionContext({ callId: 'c1' }))
    const done = definition.receive?.(start, { now: 0, kind: 'result', value: { hole: 7 } })
    expect(definition.outcome(done)).toEqual({ kind: 'done', value: 7 })
    const back = definition.undo?.(done)
    expect(definition.request?.(back)).toEqual({ function: 'fill', params: { call: 'c1', hole: 7 } })
    expect(definition.outcome(definition.receive?.(back, { now: 0, kind: 'result', value: {} }))).toMatchObject({
      kind: 'undone',
    })
  })
})
