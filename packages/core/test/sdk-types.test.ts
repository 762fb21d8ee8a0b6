import type { Contractor } from '@contractor/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { openShop } from './shop.ts'

type UntoldKeys<Given> = Given extends readonly (infer Item)[]
  ? UntoldKeys<Item>
  : Given extends AbortSignal // whose reason may be anything
    ? never
    : Given extends object
      ? { [Key in keyof Given]-?: unknown extends Given[Key] ? Key : never }[keyof Given]
      : never

type UntoldOf<Part> = {
  [Verb in keyof Part]: Part[Verb] extends (...given: infer Given extends readonly unknown[]) => unknown
    ? UntoldKeys<Given[number]>
    : never
}[keyof Part]

/** What the functions of the SDK take as `unknown`: names of what is within an argument. */
type Untold = {
  [Part in keyof Contractor]: Contractor[Part] extends object ? UntoldOf<Contractor[Part]> : never
}[keyof Contractor]

type Query<Part extends { list(...given: never[]): unknown }> = NonNullable<Parameters<Part['list']>[0]>

describe('a program', () => {
  it('is told by the compiler of what type everything is that it passes', () => {
    expectTypeOf<Untold>().toBeNever()
    expectTypeOf<Query<Contractor['events']>['job']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Query<Contractor['events']>['limit']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Query<Contractor['configChanges']>['structure']>().toEqualTypeOf<number | undefined>()
  })

  it('that passes a text for a number, or what is not known, is told so', async () => {
    const { contractor } = await openShop()
    const { events, configChanges } = contractor
    // @ts-expect-error
    await expect(events.list({ job: '7' })).rejects.toThrow('job: ')
    // @ts-expect-error
    await expect(events.list({ limit: '7' })).rejects.toThrow('limit: ')
    // @ts-expect-error
    await expect(events.list({ jobs: 7 })).rejects.toThrow("did you mean 'job'?")
    // @ts-expect-error
    await expect(configChanges.list({ structure: '7' })).rejects.toThrow('structure: ')
    await expect(configChanges.list({ after: 'abc' })).rejects.toThrow('after: is no cursor of this list')
  })
})
