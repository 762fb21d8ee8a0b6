import { describe, expect, it } from 'vitest'
import { mergeLayers } from '../src/config/merge-values.ts'
import type { Values } from '../src/database/columns.ts'

const merge = (layers: Values[], classes: string[] = []) =>
  Object.fromEntries(
    mergeLayers(
      layers.map((values, at) => ({ source: `layer ${at}`, values })),
      classes,
    ),
  )

describe('config values', () => {
  it.each([
    ['replace', { list: [1] }, { list: [2] }, { list: [2] }],
    ['prepend to a text', { a: 'b' }, { '<a': 'a' }, { a: 'ab' }],
    ['append to a text', { a: 'b' }, { '>a': 'c' }, { a: 'bc' }],
    ['prepend to a list', { a: [2] }, { '<a': [1] }, { a: [1, 2] }],
    ['append to a list', { a: [1] }, { '>a': [2] }, { a: [1, 2] }],
    ['append one item to a list', { a: [1] }, { '>a': 2 }, { a: [1, 2] }],
    ['prepend to a map, which keeps its own', { a: { x: 1 } }, { '<a': { x: 2, y: 3 } }, { a: { x: 1, y: 3 } }],
    ['append to a map, and win', { a: { x: 1 } }, { '>a': { x: 2, y: 3 } }, { a: { x: 2, y: 3 } }],
    ['remove parts of a text', { a: 'abcb' }, { '-a': 'b' }, { a: 'ac' }],
    ['remove items of a list', { a: [1, [2], 3] }, { '-a': [[2], 3] }, { a: [1] }],
    ['remove keys of a map', { a: { x: 1, y: 2 } }, { '-a': ['x'] }, { a: { y: 2 } }],
    ['delete', { a: 1, b: 2 }, { '~a': null }, { b: 2 }],
    ['begin a value by appending', {}, { '>a': [1] }, { a: [1] }],
    ['do nothing by removing from nothing', {}, { '-a': [1] }, {}],
  ])('%s', (_, first, second, expected) => {
    expect(merge([first, second])).toEqual(expected)
  })

  it('apply in the order -, none, <, >, ~ within one source, however they are written', () => {
    expect(merge([{ a: 'x' }, { '>a': '3', '<a': '1', a: '2', '-a': 'x' }])).toEqual({ a: '123' })
    expect(merge([{ '~a': null, a: '2', '>a': '3' }])).toEqual({})
  })

  it('with a class apply only where the Foundation has it, after those without', () => {
    const values = { 'image:Docker': 'busybox', image: 'any', '>packages:VM': ['tools'], packages: ['base'] }
    expect(merge([values])).toEqual({ image: 'any', packages: ['base'] })
    expect(merge([values], ['Docker'])).toEqual({ image: 'busybox', packages: ['base'] })
    expect(merge([values], ['VM'])).toEqual({ image: 'any', packages: ['base', 'tools'] })
  })

  it('that do not go together are refused with the name of both kinds', () => {
    expect(() => merge([{ a: { x: 1 } }, { '>a': 'text' }])).toThrow(
      "Config value '>a' of layer 1 cannot be joined: it is a text, and what is there is a map",
    )
  })
})
