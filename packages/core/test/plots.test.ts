import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

/** A building with a room, two racks in it, and a yard. */
async function openHouse() {
  const shop = await openShop()
  const { plots } = shop.contractor
  await plots.create({ name: 'house', description: 'By the river' })
  await plots.create({ name: 'room', parent: 'house' })
  for (const name of ['rack1', 'rack2']) await plots.create({ name, parent: 'room' })
  await plots.create({ name: 'yard' })
  return { ...shop, plots }
}

describe('Plots', () => {
  it('form a tree that can be changed and listed', async () => {
    const { plots, contractor } = await openHouse()
    expect(await plots.get('house')).toMatchObject({ parent: null, description: 'By the river' })
    expect((await plots.list({ parent: 'room' })).items.map(one => one.name)).toEqual(['rack1', 'rack2'])
    const page = await plots.list({ limit: 2 })
    expect([page.items.map(one => one.name), page.next]).toEqual([['house', 'rack1'], 'rack1'])
    expect(await plots.update('rack2', { parent: 'yard', description: 'Old' })).toMatchObject({ parent: 'yard' })
    expect(await plots.update('yard', { name: 'garden' })).toMatchObject({ name: 'garden' })
    expect(await plots.get('rack2')).toMatchObject({ parent: 'garden', description: 'Old' })
    expect(await plots.update('rack2', { parent: null })).toMatchObject({ parent: null })
    const events = (await contractor.events.list({ limit: 1000 })).filter(one => one.type.startsWith('plot.'))
    expect(events.map(one => one.type)).toEqual([...Array(5).fill('plot.created'), ...Array(3).fill('plot.changed')])
  })

  it.each([
    ['an unknown place above', { name: 'x', parent: 'nowhere' }, 'NOT_FOUND', "Plot 'nowhere' does not exist"],
    ['a taken name', { name: 'room' }, 'ALREADY_EXISTS', "A Plot 'room' exists already"],
    ['a name with a blank', { name: 'a b' }, 'VALIDATION_FAILED', 'name: must be letters'],
    ['an unknown field', { name: 'x', colour: 'red' }, 'VALIDATION_FAILED', 'colour'],
  ])('with %s are refused', async (_, input, code, message) => {
    const { plots } = await openHouse()
    await expect(plots.create(input)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect((await plots.list()).items).toHaveLength(5)
  })

  it('make no circles; the refusal shows the way round', async () => {
    const { plots } = await openHouse()
    await expect(plots.update('house', { parent: 'rack1' })).rejects.toThrow(
      "Plot 'house' cannot be in 'rack1': that would be a circle (house → rack1 → room → house)",
    )
    await expect(plots.update('yard', { parent: 'yard' })).rejects.toThrow('(yard → yard)')
    await expect(plots.update('yard', { name: 'room' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(plots.update('nowhere', { parent: 'room' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // Two at once that together would make one: the second sees the first.
    await plots.update('rack2', { parent: null })
    const moved = await Promise.allSettled([
      plots.update('rack2', { parent: 'yard' }),
      plots.update('yard', { parent: 'rack2' }),
    ])
    expect(moved.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('say what stands there and in the places within, and are not deleted while something does', async () => {
    const { plots, contractor } = await openHouse()
    await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
    await contractor.blueprints.put({ kind: 'structure', name: 'top' })
    const create = (locator: string, plot: string | null) =>
      contractor.foundations.create({
        locator,
        type: 'Lathe',
        site: 'lab',
        blueprint: 'base',
        plot,
        fields: { serial: 's' },
      })
    const [one] = [
      await create('m1', 'rack1'),
      await create('m2', 'rack2'),
      await create('m3', 'room'),
      await create('m4', null),
    ]
    await one.setBuilt()
    const web = await contractor.structures.create({ hostname: 'web', site: 'lab', blueprint: 'top', foundation: 'm1' })
    expect((await plots.contents('house')).items).toEqual([
      {
        ...{ plot: 'rack1', locator: 'm1', type: 'Lathe', state: 'built' },
        structure: { id: web.id, hostname: 'web', state: 'planned' },
      },
      { plot: 'rack2', locator: 'm2', type: 'Lathe', state: 'planned', structure: null },
      { plot: 'room', locator: 'm3', type: 'Lathe', state: 'planned', structure: null },
    ])
    expect((await plots.contents('house', { deep: false })).items).toEqual([])
    expect((await plots.contents('room', { deep: false })).items.map(it => it.locator)).toEqual(['m3'])
    const page = await plots.contents('room', { limit: 2 })
    expect(page.next).toBe('m2')
    expect((await plots.contents('room', { limit: 2, after: page.next })).items.map(it => it.locator)).toEqual(['m3'])
    await expect(plots.contents('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' })

    await expect(plots.delete('room')).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Plot rack1', 'Plot rack2', 'Foundation m3'] } },
    })
    await contractor.foundations.update('m2', { plot: 'yard' })
    await plots.delete('rack2')
    await expect(plots.get('rack2')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
