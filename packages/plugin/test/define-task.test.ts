import { defineTasks, taskFailed, toWireError } from '@contractor/plugin'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const params = z.object({ host: z.string(), port: z.coerce.number().default(623) })
const result = z.object({ on: z.boolean() })

describe('a Task', () => {
  it('has rules by its parameters, whose types follow from their schema', () => {
    const tasks = defineTasks({
      power: {
        params,
        result,
        timeoutMs: given => given.port * 10,
        limit: ({ host, port }) => ({ key: `bmc ${host}:${port}`, spacingMs: 5000 }),
        retry: { attempts: 2 },
      },
      plain: { params, result, limit: { key: 'one' } },
    })
    expectTypeOf<z.output<typeof tasks.power.params>>().toEqualTypeOf<{ host: string; port: number }>()
    expect(tasks.power.timeoutOf({ host: 'a' })).toBe(6230)
    expect(tasks.power.limitOf({ host: 'a' })).toEqual({ key: 'bmc a:623', atOnce: 1, spacingMs: 5000 })
    expect(tasks.power.retry).toEqual({ attempts: 2, backoffMs: 1000, factor: 2, mostMs: 60_000, jitter: 0.2 })
    expect(tasks.plain.limitOf({ host: 'a' })).toEqual({ key: 'one', atOnce: 1, spacingMs: 0 })
    expect(tasks.plain.timeoutOf({ host: 'a' })).toBe(600_000)
    expect(tasks.plain.retry).toBeUndefined()
  })

  it.each([
    ['a name that is none', { 'Power-On': { params, result } }, "Task 'Power-On' cannot be used: its name"],
    ['no time', { a: { params, result, timeoutMs: 0 } }, "Task 'a' cannot be used: its timeoutMs is not valid"],
    ['no attempt', { a: { params, result, retry: { attempts: 0 } } }, 'its retry is not valid'],
    ['a rule that there is not', { a: { params, result, retry: { tries: 3 } } }, 'its retry is not valid'],
    ['a limit without a key', { a: { params, result, limit: { key: '' } } }, 'its limit is not valid'],
  ])('with %s is refused', (_, schemas, message) => {
    expect(() => defineTasks(schemas as never)).toThrow(message)
  })
})

describe('what a handler throws', () => {
  it('says when to try again, as it travels', () => {
    expect(toWireError(taskFailed('Busy', { retryAfterMs: 1500.2 }))).toEqual({
      code: 'TASK_FAILED',
      message: 'Busy',
      retryable: true,
      retryAfterMs: 1501,
    })
    expect(toWireError(taskFailed('Busy', { retryAfterMs: 1e12 })).retryAfterMs).toBe(86_400_000)
    expect(toWireError(taskFailed('Busy', { retryAfterMs: -5 })).retryAfterMs).toBe(0)
    expect(toWireError(taskFailed('Broken'))).toEqual({ code: 'TASK_FAILED', message: 'Broken', retryable: false })
  })
})
