import { defineFoundation, defineTasks } from '@contractor/plugin'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { changePower, definePower, type PowerAction, type PowerState, powerTasks } from '../src/index.ts'

const tasks = defineTasks({ ...powerTasks(z.object({ host: z.string() }), { timeoutMs: 1000 }) })
const power = (exhausted: 'error' | 'paused' = 'error') =>
  definePower({ tasks, connection: () => ({ host: 'a' }), exhausted })
const box = defineFoundation({ type: 'Box', fields: z.object({}), tasks, functions: power('paused') })

describe('the laws of plugins', () => {
  const laws = pluginLaws(box, undefined, {
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }, { state: 'unknown' }],
    },
  })
  for (const { name, run } of laws) it(name, run)
})

/** A device, and a call that is led against it by a clock of its own: what was sent, when it ended, and how. */
function drive(
  name: keyof ReturnType<typeof power>,
  device: { state: PowerState; read?: () => PowerState; react?: (action: PowerAction) => void; fail?: () => boolean },
  { exhausted = 'error' as 'error' | 'paused', args = {}, resumes = 0 } = {},
) {
  const definition = power(exhausted)[name]
  const sent: string[] = []
  let now = 0
  let state = definition.state.parse(definition.start(definition.args.parse(args), createFunctionContext()))
  const read = () => device.read?.() ?? device.state
  for (let turn = 0; turn < 2000; turn++) {
    const outcome = definition.outcome(state)
    if (outcome.kind === 'paused' && resumes-- > 0) {
      state = definition.state.parse(definition.receive?.(state, { now, kind: 'resumed' }))
      continue
    }
    if (outcome.kind !== 'pending') return { outcome, sent, seconds: now / 1000 }
    const request = definition.request?.(state)
    if (!request) {
      now = outcome.wakeAt ?? now
      state = definition.state.parse(definition.receive?.(state, { now, kind: 'timer' }))
      continue
    }
    now += 50
    if (device.fail?.()) {
      const error = { code: 'DEVICE_UNREACHABLE', message: 'no answer', retryable: true }
      state = definition.state.parse(definition.receive?.(state, { now, kind: 'failed', error }))
      continue
    }
    const before = read()
    const { action } = request.params as { action?: PowerAction }
    const aim = action === 'on' || action === 'reset' ? 'on' : 'off'
    const isSent = action !== undefined && (action === 'reset' || before !== aim)
    if (isSent) {
      sent.push(`${action} at ${Math.round(now / 1000)}`)
      device.react?.(action)
    }
    const value = action === undefined ? { state: before } : { state: before, sent: isSent }
    state = definition.state.parse(definition.receive?.(state, { now, kind: 'result', value }))
  }
  throw new Error('comes to no end')
}

/** Does at once what it is told. */
function obedient(state: PowerState) {
  const device = { state, react: (action: PowerAction) => (device.state = action === 'on' ? 'on' : 'off') }
  return device
}

describe('a change of power', () => {
  it('of what is so already sends nothing and reads once', () => {
    expect(drive('power_off', obedient('off'))).toEqual({
      outcome: { kind: 'done', value: null },
      sent: [],
      seconds: 0.05,
    })
    expect(drive('power_on', obedient('on')).sent).toEqual([])
  })

  it('is done once three readings in a row agree', () => {
    expect(drive('power_on', obedient('off'))).toMatchObject({
      outcome: { kind: 'done' },
      sent: ['on at 0'],
      seconds: 6.2,
    })
  })

  it('is not done by a device that says so once and takes it back', () => {
    const readings: PowerState[] = ['off', 'on', 'on', 'off', 'on', 'on', 'on']
    const device = { state: 'on' as PowerState, read: () => readings.shift() ?? 'on' }
    expect(drive('power_on', device)).toMatchObject({ outcome: { kind: 'done' }, sent: ['on at 0'] })
    expect(readings).toEqual([])
  })

  it('asks the operating system twice, and then switches off', () => {
    const device = {
      state: 'on' as PowerState,
      react(action: PowerAction) {
        if (action === 'off') device.state = 'off'
      },
    }
    const { outcome, sent } = drive('power_off', device)
    expect(outcome.kind).toBe('done')
    expect(sent.map(one => one.split(' ')[0])).toEqual(['soft', 'soft', 'off'])
    expect(drive('power_off', obedient('on'), { args: { hard: true } }).sent).toEqual(['off at 0'])
  })

  it('ends after its attempts with what was read last', () => {
    expect(drive('power_on', { state: 'off' })).toMatchObject({
      outcome: { kind: 'error', message: 'It is not on after 6 attempts (last: off)' },
    })
    expect(drive('power_on', { state: 'off', fail: () => true }).outcome).toMatchObject({
      message: 'It is not on after 6 attempts (last: no answer)',
    })
  })

  it('pauses for an operator where that is declared, who may have it tried anew', () => {
    const { outcome, sent } = drive('power_on', { state: 'off' }, { exhausted: 'paused', resumes: 1 })
    expect(outcome).toEqual({
      kind: 'paused',
      message: 'It is not on after 6 attempts (last: off). Resume the Job to try again',
    })
    expect(sent).toHaveLength(12)
  })

  it('goes on over a device that is silent for a while', () => {
    let silent = 4
    const device = Object.assign(obedient('off'), { fail: () => silent-- > 0 })
    expect(drive('power_on', device).outcome.kind).toBe('done')
  })

  it('off and on again is both, each read; what is off is switched on', () => {
    const device = {
      state: 'on' as PowerState,
      react: (action: PowerAction) => (device.state = action === 'on' ? 'on' : 'off'),
    }
    expect(drive('power_cycle', device).sent).toEqual(['soft at 0', 'on at 6'])
    expect(drive('power_cycle', obedient('off')).sent).toEqual(['on at 0'])
  })
})

describe('what a handler does for it', () => {
  const device = (state: PowerState) => {
    const sent: PowerAction[] = []
    return { sent, read: async () => state, send: async (action: PowerAction) => void sent.push(action) }
  }
  it.each([
    ['on', 'on', false],
    ['off', 'off', false],
    ['soft', 'off', false],
    ['reset', 'off', false],
    ['reset', 'on', true],
    ['on', 'unknown', true],
    ['soft', 'on', true],
  ] as const)('%s of what is %s is sent: %s', async (action, state, isSent) => {
    const own = device(state)
    expect(await changePower(action, own)).toEqual({ state, sent: isSent })
    expect(own.sent).toEqual(isSent ? [action] : [])
  })
})
