import { describe, expect, it } from 'vitest'
import { deviceError } from '../src/device-error.ts'
import { until } from '../src/until.ts'

/** What each look gives, one after the other; the last one for ever. */
function looks(...given: (number | undefined | Error)[]) {
  const left = [...given]
  return async () => {
    const next = left.length > 1 ? left.shift() : left[0]
    if (next instanceof Error) throw next
    return next
  }
}
const options = (more: object = {}) => ({
  ...{ device: 'vm 1', signal: new AbortController().signal, everyMs: 1, mostMs: 60_000, ...more },
})

describe('until', () => {
  it('looks until there is an answer, and once more after what passes by itself', async () => {
    const busy = deviceError('DEVICE_BUSY', 'vm 1', 'later')
    expect(await until('Waiting', options(), looks(undefined, busy, undefined, 7))).toBe(7)
  })

  it('ends with a failure that does not pass, with its time, and when it is aborted', async () => {
    const refused = deviceError('DEVICE_REFUSED', 'vm 1', 'no')
    await expect(until('Waiting', options(), looks(undefined, refused, 7))).rejects.toBe(refused)
    await expect(until('Waiting for it', options({ mostMs: 0 }), looks(undefined))).rejects.toMatchObject({
      ...{ code: 'DEVICE_TIMED_OUT', message: 'vm 1: Waiting for it: not so within 0 s' },
    })
    const abort = new AbortController()
    const look = async () => abort.abort(new Error('claim lost'))
    await expect(until('Waiting', options({ signal: abort.signal, everyMs: 60_000 }), look)).rejects.toThrow(
      'claim lost',
    )
  })

  it('does not come back before the device has said', async () => {
    const busy = deviceError('DEVICE_BUSY', 'vm 1', 'later', { retryAfterMs: 40 })
    const begun = performance.now()
    await until('Waiting', options(), looks(busy, 7))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(39)
    const told = [60_000, 1]
    expect(await until('Waiting', options({ everyMs: () => told.pop() ?? 0 }), looks(undefined, 7))).toBe(7)
    expect(told).toEqual([60_000])
  })
})
