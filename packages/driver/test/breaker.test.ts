import { describe, expect, it } from 'vitest'
import { createBreaker } from '../src/breaker.ts'
import { deviceError } from '../src/device-error.ts'

function open() {
  let now = 0
  const breaker = createBreaker({ now: () => now })
  const silent = () => breaker.guard('bmc', () => Promise.reject(deviceError('DEVICE_UNREACHABLE', 'bmc', 'no answer')))
  return { breaker, silent, advance: (ms: number) => (now += ms) }
}

describe('a breaker', () => {
  it('leaves a device alone that was silent three times in a row, and says for how long', async () => {
    const { breaker, silent } = open()
    for (let at = 0; at < 3; at++) await expect(silent()).rejects.toThrow('no answer')
    await expect(silent()).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      retryAfterMs: 10_000,
      message: 'bmc: it has not answered 3 times in a row, and is asked again in 10 s',
    })
    expect(await breaker.guard('other', async () => 'answers')).toBe('answers')
  })

  it('lets one try after that, waits longer after each, and closes with the first answer', async () => {
    const { breaker, silent, advance } = open()
    for (let at = 0; at < 3; at++) await expect(silent()).rejects.toThrow('no answer')
    advance(10_000)
    let fail: (error: Error) => void = () => undefined
    const trying = expect(breaker.guard('bmc', () => new Promise((_, reject) => (fail = reject)))).rejects.toThrow()
    await expect(silent()).rejects.toThrow('in a row')
    fail(deviceError('DEVICE_TIMED_OUT', 'bmc', 'late'))
    await trying
    await expect(silent()).rejects.toMatchObject({ retryAfterMs: 20_000 })
    advance(20_000)
    expect(await breaker.guard('bmc', async () => 'there')).toBe('there')
    await expect(silent()).rejects.toThrow('no answer')
    await expect(silent()).rejects.toThrow('no answer')
  })

  it('counts no answer that says no', async () => {
    const { breaker } = open()
    const refusing = () =>
      breaker.guard('bmc', () => Promise.reject(deviceError('DEVICE_UNAUTHENTICATED', 'bmc', 'wrong password')))
    for (let at = 0; at < 5; at++) await expect(refusing()).rejects.toThrow('wrong password')
  })

  it('never waits longer than its limit', async () => {
    const { silent, advance } = open()
    for (let at = 0; at < 12; at++) {
      await expect(silent()).rejects.toThrow()
      advance(300_000)
    }
    await expect(silent()).rejects.toThrow('no answer')
    await expect(silent()).rejects.toMatchObject({ retryAfterMs: 300_000 })
  })
})
