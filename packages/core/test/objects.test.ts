import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

describe('objects', () => {
  it.each([
    ['an unknown Site', { site: 'nowhere' }, 'NOT_FOUND', "Site 'nowhere' does not exist"],
    [
      'an unknown BluePrint',
      { blueprint: 'nothing' },
      'NOT_FOUND',
      "There is no StructureBluePrint 'nothing': it does not exist",
    ],
    ['a BluePrint of the other kind', { blueprint: 'one-base' }, 'NOT_FOUND', "'one-base' is a FoundationBluePrint"],
    ['an unknown Foundation', { foundation: 'f9' }, 'NOT_FOUND', "Foundation 'f9' does not exist"],
    ['a taken hostname', { foundation: 'free' }, 'ALREADY_EXISTS', "Site 'lab' has a Structure 'one' already"],
    ['a taken Foundation', { hostname: 'two' }, 'IN_USE', "Structure 'one' of Site 'lab' stands on it already"],
    ['a hostname with capitals', { hostname: 'Web' }, 'VALIDATION_FAILED', 'hostname: must be two or more lower case'],
    ['an unknown field', { colour: 'red' }, 'VALIDATION_FAILED', 'colour'],
    ['a config name that is not allowed', { configValues: { 'a b': 1 } }, 'VALIDATION_FAILED', 'configValues'],
  ])('a Structure with %s is refused', async (_, wrong, code, message) => {
    const { contractor, stack } = await openShop()
    await stack({})
    await contractor.foundations.create({
      locator: 'free',
      type: 'Lathe',
      site: 'lab',
      blueprint: 'one-base',
      fields: { serial: 's' },
    })
    const input = { hostname: 'one', site: 'lab', blueprint: 'one-top', foundation: 'one', ...wrong }
    await expect(contractor.structures.create(input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
    expect((await contractor.structures.list()).items).toHaveLength(1)
  })

  it.each([
    ['an unknown type', { type: 'Lath' }, 'NOT_FOUND', "Foundation type 'Lath' is not known. Known types: Lathe."],
    [
      'a field that its type does not have',
      { fields: { serial: 's', x: 1 } },
      'VALIDATION_FAILED',
      "The Lathe fields of Foundation 'f' is not valid",
    ],
    ['a field left out', { fields: {} }, 'VALIDATION_FAILED', 'serial'],
    ['a taken locator', { locator: 'one' }, 'ALREADY_EXISTS', "A Foundation 'one' exists already"],
    [
      'a BluePrint for another type',
      { blueprint: 'docker' },
      'VALIDATION_FAILED',
      "BluePrint 'docker' is for Foundations of type Docker, not Lathe",
    ],
  ])('a Foundation with %s is refused', async (_, wrong, code, message) => {
    const { contractor, stack } = await openShop()
    await stack({})
    await contractor.blueprints.put({ kind: 'foundation', name: 'docker', foundationTypes: ['Docker'] })
    const input = { locator: 'f', type: 'Lathe', site: 'lab', blueprint: 'one-base', fields: { serial: 's' }, ...wrong }
    await expect(contractor.foundations.create(input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  it('a Structure stands only on what its BluePrint allows, and on heirs of that', async () => {
    const { contractor } = await openShop()
    await contractor.blueprints.put({ kind: 'foundation', name: 'metal' })
    await contractor.blueprints.put({ kind: 'foundation', name: 'big-metal', parents: ['metal'] })
    await contractor.blueprints.put({ kind: 'foundation', name: 'cloud' })
    await contractor.blueprints.put({ kind: 'structure', name: 'web', foundationBlueprints: ['metal'] })
    for (const blueprint of ['big-metal', 'cloud']) {
      await contractor.foundations.create({
        locator: blueprint,
        type: 'Lathe',
        site: 'lab',
        blueprint,
        fields: { serial: 's' },
      })
    }
    const create = (foundation: string) =>
      contractor.structures.create({ hostname: foundation, site: 'lab', blueprint: 'web', foundation })
    await expect(create('cloud')).rejects.toThrow("BluePrint 'web' may stand on metal; Foundation 'cloud' is a 'cloud'")
    expect(await create('big-metal')).toMatchObject({ state: 'planned' })
  })

  it('that others need are not deleted, and the refusal names them', async () => {
    const { contractor, stack } = await openShop()
    const { structure, foundation } = await stack({})
    await expect(contractor.sites.delete('lab')).rejects.toMatchObject({
      code: 'IN_USE',
      data: { by: ['Foundation one', 'Structure one'] },
    })
    await expect(foundation.delete()).rejects.toThrow("Foundation 'one' cannot be deleted: Structure one needs it")
    await foundation.setBuilt()
    await structure.setBuilt()
    await expect(structure.delete()).rejects.toThrow("Structure 'one' cannot be deleted: it is built; destroy it first")
    await foundation.setDestroyed()
    expect(await structure.refresh()).toMatchObject({ state: 'planned' })
    await structure.delete()
    await foundation.delete()
    await contractor.sites.delete('lab')
    await expect(contractor.sites.get('lab')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('Sites form a tree without circles', async () => {
    const { contractor } = await openShop()
    await contractor.sites.create({ name: 'hall', parent: 'lab' })
    await contractor.sites.create({ name: 'desk', parent: 'hall' })
    await expect(contractor.sites.update('lab', { parent: 'desk' })).rejects.toThrow(
      "Site 'lab' cannot belong to 'desk': that would be a circle",
    )
    await expect(contractor.sites.create({ name: 'x', parent: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('lists come in pages', async () => {
    const { contractor } = await openShop()
    for (const name of ['a', 'b', 'c']) await contractor.sites.create({ name })
    const first = await contractor.sites.list({ limit: 2 })
    expect(first.items.map(one => one.name)).toEqual(['a', 'b'])
    const second = await contractor.sites.list({ limit: 2, after: first.next })
    expect(second).toMatchObject({ items: [{ name: 'c' }, { name: 'lab' }] })
    expect(second.next).toBeUndefined()
  })

  it('a Foundation whose BluePrint has a validation template is not located unseen', async () => {
    const { contractor } = await openShop()
    await contractor.blueprints.put({ kind: 'foundation', name: 'checked', template: { cpus: { count: 4 } } })
    await contractor.blueprints.put({ kind: 'foundation', name: 'heir', parents: ['checked'] })
    const foundation = await contractor.foundations.create({
      locator: 'f',
      type: 'Lathe',
      site: 'lab',
      blueprint: 'heir',
      fields: { serial: 's' },
    })
    await expect(foundation.setLocated()).rejects.toThrow(
      "BluePrint 'checked' has a validation template, and no id map was checked against it",
    )
  })
})
