import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, createState, encodeJson, type Json, run } from '../src/index.ts'
import { createStillHost } from './playing-host.ts'

/** What a program holds after reading a value of the host. */
function hold(value: unknown): { kind: string | undefined; message: string | undefined; held: Json | undefined } {
  const compiled = compile('held = host.value\n')
  if (!compiled.ok) throw new Error()
  const host = createStillHost(undefined, { get: () => ({ value: value as Json }) })
  const { stop, variables } = run(compiled.program, createState(compiled.program), host)
  return { kind: stop?.kind, message: stop?.kind === 'aborted' ? stop.message : undefined, held: variables.held }
}

describe('values of the host', () => {
  test('any JSON comes through, its keys escaped', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small' }), value => {
        const encoded = encodeJson(JSON.parse(JSON.stringify(value)) as Json)
        expect(hold(encoded)).toEqual({ kind: 'done', message: undefined, held: encoded })
      }),
    )
  })

  test.each<[unknown, RegExp]>([
    [undefined, /type undefined/],
    [() => 1, /type function/],
    [Number.NaN, /not a finite number/],
    [{ a: [Number.POSITIVE_INFINITY] }, /not a finite number/],
    [new Map(), /object of a class/],
    [BigInt(10), /type bigint/],
    [{ $time: 'soon' }, /key \$time, which must be escaped/],
    [{ $time: 5, more: 1 }, /key \$time, which must be escaped/],
    [{ $secret: 5 }, /key \$secret/],
    ['a\0b', /^`host.value` cannot be kept: it holds a text with a NUL character: 'a\ufffdb'$/],
    [[{ a: 'x\ud83d' }], /^`host.value` cannot be kept: it holds a text with half of a surrogate pair, .*: 'x\ufffd'$/],
    ['\ude00', /half of a surrogate pair/],
    [{ 'a\0': 1 }, /a key with a NUL character/],
    [{ $ref: '\0' }, /a NUL character/],
    [JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`), /nested too deep/],
  ])('what is no JSON is refused (%#)', (value, message) => {
    expect(hold(value)).toMatchObject({ kind: 'aborted', message: expect.stringMatching(message) })
  })

  test('a key with a dollar is one dollar to the program', () => {
    expect(encodeJson({ $time: 5, a: [{ $$x: 1 }] })).toEqual({ $$time: 5, a: [{ $$$x: 1 }] })
    const compiled = compile("a = host.value\nb = a[ '$time' ]\nc = ( '' . a )\n")
    if (!compiled.ok) throw new Error()
    const host = createStillHost(undefined, { get: () => ({ value: encodeJson({ $time: 5 }) }) })
    expect(run(compiled.program, createState(compiled.program), host).variables).toMatchObject({
      b: 5,
      c: '{ $time=5 }',
    })
  })
})
