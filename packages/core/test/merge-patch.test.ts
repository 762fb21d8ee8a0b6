import { writeSecret } from '@contractor/contract'
import { describe, expect, it } from 'vitest'
import { mergePatch } from '../src/noun/merge-patch.ts'

describe('a map that is laid over another one', () => {
  it.each([
    ['keeps what is not named', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['takes away what is null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['is merged within', { a: { b: 1, c: 2 } }, { a: { c: null, d: [3] } }, { a: { b: 1, d: [3] } }],
    ['replaces lists as a whole', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['replaces what is no map by a map, without its nulls', { a: 1 }, { a: { b: null, c: 2 } }, { a: { c: 2 } }],
    ['replaces a map by what is none', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
    ['takes a reference to a secret as one value', { a: { b: 1 } }, { a: { $secret: 'pw' } }, { a: { $secret: 'pw' } }],
    ['replaces a reference to a secret', { a: { $secret: 'pw' } }, { a: { b: 1 } }, { a: { b: 1 } }],
  ])('%s', (_, present, given, merged) => {
    expect(mergePatch(present, given)).toEqual(merged)
  })

  it('leaves a secret that is given back as it is shown, alone or within', () => {
    const sealed = writeSecret({ name: 'pw', sealed: 'x' })
    const present = { pw: sealed, deep: { pw: sealed, port: 1 } }
    expect(mergePatch(present, { pw: '***', deep: { pw: '***', port: 2 } })).toEqual({
      ...{ pw: sealed, deep: { pw: sealed, port: 2 } },
    })
  })
})
