import { describe, expect, it } from 'vitest'
import { json } from '../src/primitives/json.ts'

describe('a member that is undefined', () => {
  it('is none, at any depth; a value without one is the same value', () => {
    expect(json.parse({ a: undefined, b: [{ c: undefined, d: 1 }], e: null })).toEqual({ b: [{ d: 1 }], e: null })
    expect(Object.keys(json.parse({ a: undefined }) as object)).toEqual([])
    const plain = { a: [{ b: 1 }] }
    expect(json.parse(plain)).toBe(plain)
  })

  it.each([
    ['an item of a list', [1, undefined]],
    ['the value itself', undefined],
    ['a date beside it', { a: undefined, b: new Date(0) }],
  ])('as %s is refused', (_, value) => {
    expect(json.safeParse(value).success).toBe(false)
  })

  it('makes no copy of what holds itself, which is refused in no time', () => {
    const ring: unknown[] = []
    ring.push(ring, ring)
    expect(json.safeParse({ a: undefined, ring }).success).toBe(false)
    expect(json.safeParse({ ring, a: undefined }).success).toBe(false)
  })
})
