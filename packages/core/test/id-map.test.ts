import { describe, expect, it } from 'vitest'
import { machineReport } from './machine.ts'
import { openShop } from './shop.ts'

/** A Foundation of a BluePrint that inherits half of its template. */
async function openHall() {
  const shop = await openShop()
  const { blueprints, foundations } = shop.contractor
  await blueprints.put({
    kind: 'foundation',
    name: 'server',
    template: { cpus: { count: 4 }, memory: { total: '64GiB' } },
  })
  await blueprints.put({ kind: 'foundation', name: 'anvil', parents: ['server'], template: { cpus: { count: 2 } } })
  const create = (locator: string, blueprint = 'anvil') =>
    foundations.create({ locator, type: 'Lathe', site: 'lab', blueprint, fields: { serial: 's' } })
  return { ...shop, create }
}

describe('a Foundation whose BluePrint has a validation template', () => {
  it('is located, or built without that, only with an id map that passes; it is kept without the config UUID', async () => {
    const { create } = await openHall()
    const foundation = await create('f1')
    const missing = {
      code: 'WRONG_STATE',
      message: expect.stringContaining("BluePrint 'anvil' has a validation template, and no id map was checked"),
    }
    await expect(foundation.setLocated()).rejects.toMatchObject(missing)
    await expect(foundation.setBuilt()).rejects.toMatchObject(missing)
    const small = machineReport({ cpus: [], memory: { totalBytes: 1024 } })
    for (const set of [foundation.setLocated, foundation.setBuilt]) {
      await expect(set({ idMap: small })).rejects.toMatchObject({
        code: 'HARDWARE_MISMATCH',
        message: expect.stringContaining("cpus.count is 0, wanted 2; memory.total is 1024 bytes, wanted '64GiB'"),
        data: { kind: 'Foundation', id: 'f1', differences: [{ path: 'cpus.count' }, { path: 'memory.total' }] },
      })
    }
    await expect(foundation.setLocated({ idMap: { cpus: 'two' } as never })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    expect(await foundation.refresh()).toMatchObject({ state: 'planned', idMap: null })

    const idMap = machineReport({ configUuid: '11111111-2222-4333-8444-555555555555' })
    const located = await foundation.setLocated({ idMap })
    expect(located).toMatchObject({ state: 'located', idMap: { system: { serial: 'SYS-1' } } })
    expect(located.idMap).not.toHaveProperty('configUuid')
    expect(await located.setBuilt()).toMatchObject({ state: 'built', idMap: { system: { serial: 'SYS-1' } } })
    expect(await located.setDestroyed()).toMatchObject({ state: 'planned', idMap: null })
    await expect(foundation.setLocated()).rejects.toMatchObject(missing)
    expect(await foundation.setBuilt({ idMap })).toMatchObject({ state: 'built' })
  })

  it('asks for nothing when the template is empty; an id map that is given is kept', async () => {
    const { contractor, create } = await openHall()
    const { changes } = await contractor.resources.loadText('[foundation.plain]\n  template = {}\n', 'plain.toml')
    expect(changes).toMatchObject([{ name: 'plain', change: 'created' }])
    await contractor.blueprints.put({ kind: 'foundation', name: 'hollow', template: { cpus: {}, disks: {} } })
    expect(await (await create('p1', 'plain')).setLocated()).toMatchObject({ state: 'located', idMap: null })
    expect(await (await create('p2', 'hollow')).setLocated({ idMap: machineReport() })).toMatchObject({
      state: 'located',
      idMap: { bios: { version: '2.4.1' } },
    })
  })
})

describe('a template in a resource file', () => {
  it('is checked with the rest, and loaded again it is unchanged', async () => {
    const { contractor } = await openShop()
    const file = (count: string) => `[foundation.big.template]
  system = { manufacturer = [ 'Acme', 'Apex' ], product = { pattern = '^Anvil' } }
  memory = { total = { min = '60GiB' } }
[foundation.big.template.cpus]
  count = ${count}
[foundation.big.template.disks.data]
  count = 4
  size = '8TB'
`
    await expect(contractor.resources.loadText(file("'two'"), 'big.toml')).rejects.toMatchObject({
      code: 'RESOURCE_INVALID',
      message: expect.stringMatching(/^big\.toml:5: foundation\.big\.template\.cpus\.count: must be a whole number/),
    })
    await expect(
      contractor.resources.loadText('[foundation.big]\n  template = { cpu_count = 2 }\n', 'big.toml'),
    ).rejects.toThrow("foundation.big.template.cpu_count: unknown key 'cpu_count'; known are system, baseboard")
    await expect(
      contractor.blueprints.put({ kind: 'foundation', name: 'big', template: { cpus: { count: -1 } } }),
    ).rejects.toMatchObject({ code: 'VALIDATION_FAILED', data: { issues: [{ path: 'template.cpus.count' }] } })
    await expect(contractor.blueprints.get('big')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.resources.loadText(file('2'), 'big.toml')).changes).toMatchObject([{ change: 'created' }])
    expect((await contractor.resources.loadText(file('2'), 'big.toml')).changes).toMatchObject([
      { change: 'unchanged' },
    ])
    expect(await contractor.blueprints.get('big')).toMatchObject({
      template: { memory: { total: { min: '60GiB' } }, disks: { data: { count: 4, size: '8TB' } } },
    })
  })
})
