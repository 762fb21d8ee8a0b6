import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

async function openRow(count: number) {
  const shop = await openShop()
  const { contractor } = shop
  await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'other-base' })
  await contractor.blueprints.put({ kind: 'structure', name: 'top' })
  await contractor.blueprints.put({ kind: 'structure', name: 'picky', foundationBlueprints: ['other-base'] })
  const made = await contractor.foundations.createMany(
    Array.from({ length: count }, (_, n) => ({
      ...{ locator: `m${n}`, type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: `s${n}` } },
    })),
  )
  return { ...shop, made }
}

const row = (n: number, more = {}) => ({
  hostname: `host${n}`,
  site: 'lab',
  blueprint: 'top',
  foundation: `m${n}`,
  ...more,
})

describe('many Structures at once', () => {
  it('are made in the order that was given, or none of them', async () => {
    const { contractor, made } = await openRow(5)
    expect(made.map(one => one.locator)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
    const structures = await contractor.structures.createMany([2, 0, 1].map(n => row(n)))
    expect(structures.map(one => one.hostname)).toEqual(['host2', 'host0', 'host1'])
    expect(
      (await contractor.events.list({ limit: 1000 })).filter(one => one.type === 'structure.created'),
    ).toHaveLength(3)

    await expect(contractor.structures.createMany([row(3), row(4, { hostname: 'host0' })])).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: "Site 'lab' has a Structure 'host0' already",
    })
    await expect(contractor.structures.createMany([row(3), row(4, { hostname: 'host3' })])).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    await expect(contractor.structures.createMany([row(3), row(4, { foundation: 'm0' })])).rejects.toMatchObject({
      code: 'IN_USE',
      message: "Foundation 'm0' cannot be used: Structure 'host0' of Site 'lab' stands on it already",
    })
    await expect(contractor.structures.createMany([row(3), row(4, { blueprint: 'picky' })])).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: "BluePrint 'picky' may stand on other-base; Foundation 'm4' is a 'base'",
    })
    await expect(contractor.structures.createMany([row(3), row(4, { hostname: 'No' })])).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringContaining('Structure 2 of 2 is not valid: hostname'),
    })
    await expect(contractor.foundations.createMany([{ ...made[0], locator: 'm9' } as never])).rejects.toThrow()
    expect(await contractor.structures.count()).toBe(3)
  })
})

describe('a change of a Structure', () => {
  it('leaves what is not given, and is told', async () => {
    const { contractor } = await openRow(2)
    const one = await contractor.structures.create(row(0, { configValues: { a: 1 } }))
    const renamed = await one.update({ hostname: 'renamed' }, { by: 'me' })
    expect(renamed).toMatchObject({ hostname: 'renamed', configValues: { a: 1 }, foundation: 'm0' })
    expect(await renamed.update({ foundation: 'm1', blueprint: 'top' })).toMatchObject({ foundation: 'm1' })
    const items = await contractor.events.list({ limit: 1000 })
    expect(items.find(event => event.type === 'structure.changed')).toMatchObject({
      by: 'me',
      structure: one.id,
      data: { changed: ['hostname'] },
    })
  })

  it('is refused where the result would not be allowed', async () => {
    const { contractor } = await openRow(2)
    const [one, two] = await contractor.structures.createMany([row(0), row(1)])
    await expect(two?.update({ hostname: 'host0' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(two?.update({ foundation: 'm0' })).rejects.toMatchObject({ code: 'IN_USE' })
    await expect(two?.update({ site: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(two?.update({ blueprint: 'picky' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(two?.update({ state: 'built' } as never)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await contractor.foundations.setState('m0', 'built')
    await one?.setBuilt()
    await expect(one?.update({ blueprint: 'picky' })).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: "Structure 'host0' cannot get another BluePrint: it is built; destroy it first",
    })
    expect(await one?.update({ configValues: { b: 2 } })).toMatchObject({ state: 'built', configValues: { b: 2 } })
  })
})

describe('a change of a Foundation', () => {
  it('lays fields over the present ones, checks them as a whole, and keeps its BluePrint while it is built', async () => {
    const { contractor } = await openRow(1)
    const changed = await contractor.foundations.update('m0', {
      fields: { turned: 3 },
      serials: ['ABC 1'],
      bmcMac: '52-54-00-AA-BB-CC',
    })
    expect(changed).toMatchObject({
      fields: { serial: 's0', turned: 3 },
      serials: ['ABC 1'],
      bmcMac: '52:54:00:aa:bb:cc',
    })
    expect(await changed.update({ fields: { turned: null } })).toMatchObject({ fields: { serial: 's0' } })
    await expect(changed.update({ fields: { serial: null } })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(changed.update({ bmcMac: '01:00:5e:00:00:01' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(changed.update({ complex: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await changed.setBuilt()
    await expect(changed.update({ blueprint: 'other-base' })).rejects.toMatchObject({ code: 'WRONG_STATE' })
  })
})

describe('a Structure', () => {
  it('is kept while an address of another leads to one of its own', async () => {
    const { contractor } = await openRow(2)
    const [one, two] = await contractor.structures.createMany([row(0), row(1)])
    await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
    await contractor.interfaces.create({ kind: 'real', foundation: 'm0', name: 'eth0' })
    const address = { addressBlock: 'lan', kind: 'static' as const }
    const own = await contractor.addresses.create({ ...address, offset: 5, structure: one?.id ?? 0, interface: 'eth0' })
    const floating = await contractor.addresses.create({
      ...address,
      offset: 9,
      structure: two?.id ?? 0,
      pointer: own.id,
    })
    await contractor.addresses.create({ ...address, offset: 10, structure: one?.id ?? 0, pointer: own.id })
    await expect(one?.delete()).rejects.toMatchObject({ code: 'IN_USE', data: { by: ['Address 10.0.0.9'] } })
    await contractor.addresses.delete(floating.id)
    await one?.delete()
    expect((await contractor.addresses.list()).items).toEqual([])
  })
})
