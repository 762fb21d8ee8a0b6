import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { manual } from './manual.ts'

describe('the laws of plugins', () => {
  const laws = pluginLaws(manual, undefined, {
    args: { instruct: [{ msg: 'Plug the cable into port 7.' }] },
    entry: new URL('./index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

const context = createFunctionContext({ foundation: { locator: 'rack1-u7', type: 'Manual' } })

describe('each function', () => {
  it.each([
    ['power_on', {}, 'switch it on'],
    ['power_off', {}, 'switch it off'],
    ['instruct', { msg: 'Plug the cable into port 7.\n' }, 'Plug the cable into port 7'],
  ])('%s pauses with what to do and to which Foundation, until it is resumed', (name, args, work) => {
    const definition = manual.functions[name]
    if (!definition) throw new Error(`no function ${name}`)
    const paused = definition.start(definition.args.parse(args), context)
    expect(definition.request?.(paused)).toBeUndefined()
    expect(definition.outcome(paused)).toEqual({
      kind: 'paused',
      message: `Foundation 'rack1-u7' (site lab): ${work}. Resume the job when it is done`,
    })
    const resumed = definition.receive?.(paused, { now: 0, kind: 'resumed' })
    expect(definition.outcome(resumed)).toEqual({ kind: 'done', value: null })
  })

  it('refuses an empty instruction', () => {
    expect(manual.functions.instruct?.args.safeParse({ msg: '' }).success).toBe(false)
  })
})
