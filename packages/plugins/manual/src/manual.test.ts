import { join } from 'node:path'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, vi } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { manual, manualComplexFoundation } from './manual.ts'

const args = { instruct: [{ msg: 'Plug the cable into port 7.' }], ask: [{ msg: 'What is its serial number?' }] }

describe('the laws of plugins', () => {
  const laws = pluginLaws(manual, undefined, { args, entry: new URL('./index.ts', import.meta.url) })
  for (const { name, run } of laws) it(name, run)
})

describe('the laws of plugins, of what a Complex provides', () => {
  for (const { name, run } of pluginLaws(manualComplexFoundation, undefined, { args, complexFields: {} })) it(name, run)
})

const context = createFunctionContext({ foundation: { locator: 'rack1-u7', type: 'Manual' } })

function call(name: string, given: object) {
  const definition = manual.functions[name]
  if (!definition) throw new Error(`no function ${name}`)
  return { definition, state: definition.start(definition.args.parse(given), context) }
}

describe('each function', () => {
  it.each([
    ['power_on', {}, 'switch it on'],
    ['power_off', {}, 'switch it off'],
    ['wait_for_poweroff', {}, 'wait until it is off'],
    ['instruct', { msg: 'Plug the cable into port 7.\n' }, 'Plug the cable into port 7'],
  ])('%s pauses with what to do and to which Foundation, until it is resumed', (name, given, work) => {
    const { definition, state: paused } = call(name, given)
    expect(definition.request?.(paused)).toBeUndefined()
    expect(definition.outcome(paused)).toEqual({
      kind: 'paused',
      message: `Foundation 'rack1-u7' (site lab): ${work}. Resume the job when it is done`,
    })
    const resumed = definition.receive?.(paused, { now: 0, kind: 'resumed' })
    expect(definition.outcome(resumed)).toEqual({ kind: 'done', value: null })
  })

  it('ask goes on with an answer of the form that it wants, and says why one is none', () => {
    const { definition, state } = call('ask', { msg: 'Its serial number?', pattern: '[A-Z]\\d{3}' })
    const after = (from: unknown, answer?: string) =>
      definition.receive?.(from, { now: 0, kind: 'resumed', ...(answer !== undefined && { answer }) })
    const question = "Foundation 'rack1-u7' (site lab): Its serial number?. Resume the job with the answer"
    expect(definition.outcome(state)).toEqual({ kind: 'paused', message: question })
    const without = after(state)
    expect(definition.outcome(without)).toEqual({ kind: 'paused', message: `${question} (an answer is needed)` })
    const wrong = after(without, 'a12')
    expect(definition.outcome(wrong)).toEqual({
      kind: 'paused',
      message: `${question} ('a12' is not of the form [A-Z]\\d{3})`,
    })
    expect(definition.outcome(after(wrong, ' S123 '))).toEqual({ kind: 'done', value: 'S123' })
  })

  it('power_state looks at nothing', () => {
    const { definition, state } = call('power_state', {})
    expect(definition.outcome(state)).toEqual({ kind: 'done', value: 'unknown' })
  })

  it.each([
    ['instruct', { msg: '' }],
    ['ask', { msg: '' }],
    ['ask', { msg: 'x', pattern: '(' }],
  ])('%s refuses %j', (name, given) => {
    expect(manual.functions[name]?.args.safeParse(given).success).toBe(false)
  })
})

describe('a machine that people handle', () => {
  it('is built by what they are asked, and their answers are kept', async () => {
    const { contractor, finish, run } = await openRig({
      plugins: [manual, manualComplexFoundation],
      handlers: [],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const paused = async (id: number) => {
      await vi.waitFor(async () => expect((await contractor.jobs.get(id)).state).toBe('paused'))
      return (await contractor.jobs.get(id)).reason
    }
    await contractor.complexes.create({ name: 'colo', site: 'lab', type: 'ManualComplex' })
    const own = { site: 'lab', blueprint: 'manual-foundation-base', locator: 'm1' } as const
    await contractor.foundations.create({ ...own, type: 'ManualComplex', complex: 'colo' })
    expect(await contractor.foundations.config('m1')).toMatchObject({ _complex_host: 'colo' })
    const create = await contractor.foundations.doCreate('m1')
    expect(await paused(create.id)).toContain('put it into its place')
    await create.resume()
    await finish(Promise.resolve(create))

    const asked = await run(
      'm1',
      `serial = foundation.ask( msg='Its serial number?', pattern='S[0-9]+' )\npause( msg=serial )`,
    )
    await paused(asked.id)
    await asked.resume({ answer: 'none' })
    expect(await paused(asked.id)).toContain("'none' is not of the form")
    await contractor.jobs.resume(asked.id, { answer: 'S17' })
    await vi.waitFor(async () => expect(await paused(asked.id)).toBe('S17'))
    await asked.resume({ answer: 'seen' })
    await finish(Promise.resolve(asked))
    const events = await contractor.events.list({ job: asked.id })
    expect(events.flatMap(({ type, data }) => (type === 'job.resumed' ? [data.answer] : []))).toEqual([
      'none',
      'S17',
      'seen',
    ])
    await expect(contractor.jobs.resume(asked.id, { answer: 'x'.repeat(2001) })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
  })
})
