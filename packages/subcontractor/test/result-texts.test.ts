import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './agent-fixture.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
})

async function endOf(value: unknown) {
  fixture = await createFixture()
  const { server, agent, call } = fixture
  const [id = 0] = server.add({ function: 'hold' })
  agent.start()
  ;(await call(id)).finish(value)
  return server.endOf(id)
}

const circular: { self?: unknown; text: string } = { text: '\0' }
circular.self = circular

describe('a result', () => {
  it.each([
    ['with NUL', 'a\0b', 'a\uFFFDb'],
    ['with half a character', 'a\uD83D', 'a\uFFFD'],
    ['with such keys and items', { list: ['\0', 1], '\uDE00': null }, { list: ['\uFFFD', 1], '\uFFFD': null }],
  ])('%s is mended, which the log says once', async (_, value, mended) => {
    expect((await endOf(value)).result).toEqual(mended)
    expect(fixture.count('result held NUL or half a character')).toBe(1)
    expect(fixture.count('task done')).toBe(1)
  })

  it('with whole characters is as it was', async () => {
    expect((await endOf({ smile: '😀' })).result).toEqual({ smile: '😀' })
    expect(fixture.count('half a character')).toBe(0)
  })

  it.each([
    ['undefined in an array', [undefined]],
    ['NaN', { share: Number.NaN }],
    ['a BigInt', 1n],
    ['an instance of a class', { at: new Date(0), text: '\0' }],
    ['itself', circular],
    ['a function', () => 1],
  ])('that is or holds %s is no JSON, and an error', async (_, value) => {
    expect((await endOf(value)).error?.message).toContain('Result of test.hold is not valid')
  })
})
