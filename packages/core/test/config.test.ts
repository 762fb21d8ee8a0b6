import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

async function openTree() {
  const shop = await openShop()
  const { contractor } = shop
  await contractor.scripts.put({ name: 'nothing', source: '' })
  await contractor.blueprints.put({
    kind: 'foundation',
    name: 'base',
    configValues: { only_foundation: 1, greeting: 'base' },
  })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'grand',
    configValues: { greeting: 'grand', packages: ['a'], depth: 'grand' },
  })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'left',
    parents: ['grand'],
    configValues: { '>packages': ['b'], side: 'left' },
  })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'right',
    parents: ['grand'],
    configValues: { '>packages': ['c'], side: 'right' },
  })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'own',
    parents: ['left', 'right'],
    configValues: {
      'tool:Metal': 'file',
      title: '{{ _hostname }} of {{ motto }}',
      long: '{{ title }}!',
      nested: { list: ['{{ depth }}'] },
    },
  })
  await contractor.sites.create({
    name: 'hall',
    parent: 'lab',
    configValues: { motto: 'measure thrice', depth: 'hall' },
  })
  await contractor.foundations.create({
    locator: 'm1',
    type: 'Lathe',
    site: 'lab',
    blueprint: 'base',
    fields: { serial: 'x' },
  })
  const structure = await contractor.structures.create({
    hostname: 'host1',
    site: 'hall',
    blueprint: 'own',
    foundation: 'm1',
    configValues: { mine: true },
  })
  return { ...shop, structure }
}

describe('the config of a target', () => {
  it('is merged from BluePrints, the Site tree and its own values, and rendered', async () => {
    const { structure, contractor } = await openTree()
    expect(await structure.config()).toMatchObject({
      greeting: 'grand',
      packages: ['a', 'b', 'c'],
      side: 'right',
      motto: 'measure thrice',
      depth: 'hall',
      tool: 'file',
      mine: true,
      title: 'host1 of measure thrice',
      long: 'host1 of measure thrice!',
      nested: { list: ['hall'] },
      _hostname: 'host1',
      _site: 'hall',
      _blueprint: 'own',
      _foundation_locator: 'm1',
      _foundation_class_list: ['Metal', 'Lathe'],
      _structure_state: 'planned',
      __timestamp: '2026-01-01T00:00:00.000Z',
    })
    expect(await structure.config()).not.toHaveProperty('only_foundation')
    expect(await contractor.foundations.config('m1')).toMatchObject({
      only_foundation: 1,
      greeting: 'base',
      motto: 'measure twice',
      _site: 'lab',
    })
    expect(await (await contractor.sites.get('hall')).config()).toEqual({
      motto: 'measure thrice',
      depth: 'hall',
      _site: 'hall',
    })
  })

  it('shows a change anywhere at once', async () => {
    const { structure, contractor } = await openTree()
    await contractor.sites.update('hall', { configValues: { depth: 'deeper', motto: null } })
    expect(await structure.config()).toMatchObject({
      motto: 'measure twice',
      depth: 'deeper',
      long: 'host1 of measure twice!',
    })
  })

  it.each([
    [
      { a: '{{ b }}', b: '{{ a }}', c: 1 },
      "Config of Structure host1: 'a' refers to itself: 'a' → 'b' → 'a'",
      { key: 'a' },
    ],
    [{ a: 'x{{ a }}' }, "'a' refers to itself: 'a' → 'a'", { key: 'a' }],
    [
      { a: 'one\n{{ missing }}', b: '{{ a }}', c: ['{{ b }}'] },
      "Config of Structure host1: 'a', line 2: a value that is not there would be printed; there is no value 'missing' ('b' refers to, which 'c' refers to)",
      { key: 'a', line: 2, chain: ['a', 'b', 'c'] },
    ],
    [{ a: '\n{% if' }, "'a', line 2: syntax error", { key: 'a', line: 2 }],
    [{ a: '{{ 1|nothing }}' }, "'a', line 1: there is no filter 'nothing'", { key: 'a' }],
    [{ a: '{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}' }, 'steps', { key: 'a' }],
    [{ a: "{{ 'x' * 1000000000 }}" }, 'longer than 1000000 characters', { key: 'a' }],
  ])('that cannot be rendered says which value, where and why: %j', async (configValues, message, data) => {
    const { contractor, structure } = await openTree()
    await contractor.sites.update('hall', { configValues })
    await expect(structure.config()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
      data,
    })
  })

  it('takes what comes out of a template for data: it is not rendered again', async () => {
    const { contractor, structure } = await openTree()
    await contractor.sites.update('hall', {
      configValues: { braces: "{{ '{{ gone }}' }}", copy: '{{ braces }}!', raw: '{% raw %}{% if %}{% endraw %}' },
    })
    expect(await structure.config()).toMatchObject({ braces: '{{ gone }}', copy: '{{ gone }}!', raw: '{% if %}' })
  })

  it('is not changed by a template that changes a list', async () => {
    const { contractor, structure } = await openTree()
    await contractor.sites.update('hall', {
      configValues: { list: ['a'], more: "{{ list.append( 'b' ) or list|join }}", again: '{{ list|join }}{{ more }}' },
    })
    expect(await structure.config()).toMatchObject({ list: ['a'], more: 'ab', again: 'aab' })
  })

  it('may have a template that names itself in a branch that it does not take', async () => {
    const { contractor, structure } = await openTree()
    await contractor.sites.update('hall', {
      configValues: { a: '{% if _hostname == "x" %}{{ b }}{% else %}plain{% endif %}', b: '{{ a }}, too' },
    })
    expect(await structure.config()).toMatchObject({ a: 'plain', b: 'plain, too' })
  })
})
