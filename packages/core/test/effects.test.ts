import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

/** A built Foundation with an interface from which it boots, and a Structure whose create script this is. */
async function openInstall(script: string, configValues: Record<string, string | string[] | { size: number }[]> = {}) {
  const shop = await openShop()
  const { contractor } = shop
  const { foundation, structure } = await shop.stack({ create: script })
  await contractor.pxes.put({ name: 'installer', bootScript: 'kernel {{ _hostname }}' })
  await contractor.interfaces.create({
    kind: 'real',
    foundation: foundation.locator,
    name: 'eth0',
    mac: '52:54:00:00:00:01',
    provisioning: true,
  })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  await contractor.addresses.create({ kind: 'static', ip: '10.0.0.9', structure: structure.id, interface: 'eth0' })
  await structure.update({ configValues })
  await foundation.setBuilt()
  const job = await structure.doCreate({ by: 'operator' })
  await contractor.foreman.runDue()
  return { ...shop, foundation, structure, job }
}

describe('a script', () => {
  it('reads where its machine boots and is reached, and says what it boots', async () => {
    const { contractor, structure, job } = await openInstall(`
dhcp.set_pxe( interface=structure.provisioning_interface, pxe='installer' )
structure.set_config( name='seen', value=[ structure.provisioning_ip, structure.primary_ip, structure.fqdn ] )
pause( msg=foundation.provisioning_interface )
`)
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'eth0' })
    expect(await structure.config()).toMatchObject({ seen: ['10.0.0.9', '10.0.0.9', 'one'] })
    const { items } = await contractor.interfaces.list({ foundation: 'one' })
    expect(items).toMatchObject([{ name: 'eth0', pxe: 'installer' }])
    await expect(contractor.pxes.delete('installer')).rejects.toMatchObject({
      code: 'IN_USE',
      message: "PXE 'installer' cannot be deleted: interface eth0 of Foundation one would boot it",
    })
  })

  it('stores data: what looks like a template comes out as it is, also after an operator wrote it back', async () => {
    const script = `
structure.set_config( name='banner', value=config.given )
structure.set_config( name='list', value=[ '{% if %}', '{#', 'plain', 'end {' ] )
pause( msg=config.banner )
`
    const { contractor, structure, job } = await openInstall(script, { given: "{{ '{{ _hostname }}' }}\r{{ '{' }}%" })
    const stored = { banner: '{{ _hostname }}\n{%', list: ['{% if %}', '{#', 'plain', 'end {'] }
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: stored.banner })
    expect(await structure.config()).toMatchObject(stored)
    const { configValues } = await structure.refresh()
    expect(configValues).toMatchObject({ banner: "{{ '{' }}{ _hostname }}\n{{ '{' }}%" })
    await structure.update({ configValues: { ...configValues, more: '{{ banner }}!' } })
    expect(await structure.config()).toMatchObject({ ...stored, more: `${stored.banner}!` })
    const { items } = await contractor.configChanges.list({ structure: structure.id, key: 'banner' })
    expect(items).toMatchObject([{ after: configValues.banner }])
  })

  it('changes config values of its Structure, sees them at once, and leaves a history', async () => {
    const script = `
structure.set_config( name='colour', value='blue' )
structure.set_config( name='disks.1.size', value=20 )
pause( msg=config.colour . ' ' . config.title . ' ' . config.disks[ 1 ][ 'size' ] )
`
    const { contractor, structure, job } = await openInstall(script, {
      colour: 'red',
      title: '{{ colour }} one',
      disks: [{ size: 1 }, { size: 2 }],
    })
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'blue blue one 20' })
    expect(await structure.refresh()).toMatchObject({
      configValues: { colour: 'blue', disks: [{ size: 1 }, { size: 20 }] },
    })
    const { items } = await contractor.configChanges.list({ structure: structure.id, key: 'colour' })
    expect(items).toMatchObject([
      { by: `Job ${job.id}`, before: 'red', after: 'blue' },
      { by: 'sdk', after: 'red' },
    ])
    expect(items[1]).not.toHaveProperty('before')
  })

  it.each([
    ["dhcp.set_pxe( interface='eth7', pxe='installer' )", "Foundation 'one' has no interface 'eth7': it has eth0"],
    ["dhcp.set_pxe( interface='eth0', pxe='nothing' )", "there is no PXE 'nothing'"],
    ["dhcp.set_pxe( interface=None, pxe='installer' )", 'there is no provisioning interface'],
    ["structure.set_config( name='_hostname', value=1 )", "'_hostname' is no name of a config value"],
    ["structure.set_config( name='disks.0', value=1 )", "it has no config value 'disks' of its own"],
  ])('is told what is wrong: %s', async (script, message) => {
    const { job } = await openInstall(script)
    expect(await job.refresh()).toMatchObject({ state: 'error', message: expect.stringContaining(message) })
  })
})

describe('where config values come from', () => {
  it('is told for every key, layer by layer', async () => {
    const { contractor } = await openShop()
    await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
    await contractor.blueprints.put({ kind: 'structure', name: 'grand', configValues: { list: ['a'], gone: 1 } })
    await contractor.blueprints.put({
      kind: 'structure',
      name: 'top',
      parents: ['grand'],
      configValues: { '>list:Metal': ['{{ motto }}'], '~gone': null, broken: '{{ nothing }}' },
    })
    const fields = { serial: 's' }
    await contractor.foundations.create({ locator: 'm', type: 'Lathe', site: 'lab', blueprint: 'base', fields })
    const structure = await contractor.structures.create({
      hostname: 'host',
      site: 'lab',
      blueprint: 'top',
      foundation: 'm',
    })
    const explained = new Map((await structure.explainConfig()).map(one => [one.key, one]))
    expect(explained.get('list')).toEqual({
      key: 'list',
      value: ['a', 'measure twice'],
      template: ['a', '{{ motto }}'],
      refersTo: ['motto'],
      layers: [
        { source: 'BluePrint grand', written: 'list', value: ['a'], result: ['a'] },
        { source: 'BluePrint top', written: '>list:Metal', value: ['{{ motto }}'], result: ['a', '{{ motto }}'] },
      ],
    })
    expect(explained.get('gone')).toEqual({
      key: 'gone',
      refersTo: [],
      layers: [
        { source: 'BluePrint grand', written: 'gone', value: 1, result: 1 },
        { source: 'BluePrint top', written: '~gone', value: null },
      ],
    })
    expect(explained.get('motto')?.layers).toMatchObject([{ source: 'Site lab' }])
    expect(explained.get('_hostname')).toMatchObject({ value: 'host', layers: [{ source: 'attributes' }] })
    expect(explained.get('broken')).toMatchObject({ error: expect.stringContaining("there is no value 'nothing'") })
    expect(await contractor.structures.configs({ site: 'lab' })).toMatchObject([
      { hostname: 'host', error: { code: 'CONFIG_INVALID' } },
    ])
  })
})
