import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import postgres from 'postgres'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

type Shop = Awaited<ReturnType<typeof openShop>>

/**
 * A load balancer in Site `lab`, and web servers there (`web10`, `web2`), below it (`deep1`) and beside it (`far1`), of the
 * BluePrint `web` and of `shop`, which inherits from it.
 */
async function openFarm() {
  const shop = await openShop()
  const { contractor } = shop
  await contractor.zones.create({ name: 'example.com', email: 'a@example.com', nameservers: ['ns.example.net'] })
  await contractor.sites.update('lab', { zone: 'example.com' })
  for (const [name, parent] of [
    ['hall', 'lab'],
    ['shelf', 'hall'],
    ['elsewhere', null],
  ] as const)
    await contractor.sites.create({ name, parent })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
  const blueprints = [
    ['web', []],
    ['shop', ['web']],
    ['mail', []],
    ['balancer', []],
  ] as const
  for (const [name, parents] of blueprints)
    await contractor.blueprints.put({ kind: 'structure', name, parents: [...parents] })
  const add = async (hostname: string, site: string, blueprint: string, configValues = {}) => {
    await contractor.foundations.create({
      ...{ locator: hostname, type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: hostname } },
    })
    await contractor.foundations.setBuilt(hostname)
    return contractor.structures.create({ hostname, site, blueprint, foundation: hostname, configValues })
  }
  const balancer = await add('lb1', 'lab', 'balancer', { members_of: 'web' })
  const webs = {
    web10: await add('web10', 'lab', 'web', { weight: 3 }),
    web2: await add('web2', 'lab', 'shop', { weight: '{{ base * 2 }}', base: 4 }),
    deep1: await add('deep1', 'shelf', 'web'),
    far1: await add('far1', 'elsewhere', 'web'),
    mail1: await add('mail1', 'lab', 'mail'),
  }
  await contractor.interfaces.create({ kind: 'real', foundation: 'web10', name: 'eth0' })
  await contractor.addresses.create({ kind: 'static', structure: webs.web10.id, interface: 'eth0', ip: '10.0.0.10' })
  for (const one of Object.values(webs)) await one.setBuilt()
  return { ...shop, balancer, webs }
}

const hostnames = async (balancer: Awaited<ReturnType<typeof openFarm>>['balancer']) =>
  ((await balancer.config())._members as { hostname: string }[]).map(one => one.hostname)

describe('the members of a Structure', () => {
  it('are the built Structures of a BluePrint and its heirs in its Site and below, in the order of their hostnames', async () => {
    const { balancer, webs } = await openFarm()
    expect((await balancer.config())._members).toEqual([
      { id: webs.deep1.id, hostname: 'deep1', fqdn: 'deep1.example.com', address: null, config: {} },
      { id: webs.web10.id, hostname: 'web10', fqdn: 'web10.example.com', address: '10.0.0.10', config: {} },
      { id: webs.web2.id, hostname: 'web2', fqdn: 'web2.example.com', address: null, config: {} },
    ])
  })

  it('come and go with their state, and with the Site of who asks', async () => {
    const { balancer, webs, contractor } = await openFarm()
    await webs.web10.setDestroyed()
    expect(await hostnames(balancer)).toEqual(['deep1', 'web2'])
    await webs.web10.setBuilt()
    await contractor.structures.update(balancer.id, { site: 'hall' })
    expect(await hostnames(balancer)).toEqual(['deep1'])
    await contractor.structures.update(balancer.id, { site: 'elsewhere' })
    expect(await hostnames(balancer)).toEqual(['far1'])
  })

  it('are none of an unknown BluePrint, of one of Foundations, and where nothing is said', async () => {
    const { balancer, webs } = await openFarm()
    for (const members_of of ['nothing-of-that', 'base', 'balancer']) {
      await balancer.update({ configValues: { members_of } })
      expect((await balancer.config())._members, members_of).toEqual([])
    }
    expect(await webs.web10.config()).not.toHaveProperty('_members')
  })

  it('may be said by a BluePrint, a Site, or for a class of Foundations; and it may be among them itself', async () => {
    const { balancer, contractor } = await openFarm()
    await balancer.update({ configValues: { members_of: null } })
    await contractor.blueprints.put({ kind: 'structure', name: 'balancer', configValues: { members_of: 'shop' } })
    expect(await hostnames(balancer)).toEqual(['web2'])
    await contractor.sites.update('lab', { configValues: { 'members_of:Other': 'mail' } })
    expect(await hostnames(balancer)).toEqual(['web2'])
    await contractor.sites.update('lab', { configValues: { 'members_of:Lathe': 'mail' } })
    expect(await hostnames(balancer)).toEqual(['mail1'])
    await balancer.update({ configValues: { members_of: 'balancer' } })
    await balancer.setBuilt()
    expect(await hostnames(balancer)).toEqual(['lb1'])
  })

  it('bring the values of their own config that are asked for, rendered, and null for what they lack', async () => {
    const { balancer, webs, contractor } = await openFarm()
    await webs.deep1.update({ configValues: { weight: ['{{ _hostname }}'] } })
    await contractor.sites.update('hall', { configValues: { colour: 'red' } })
    await balancer.update({ configValues: { members_of: 'web', member_values: ['weight', 'colour'] } })
    const members = (await balancer.config())._members as { hostname: string; config: object }[]
    expect(members.map(one => [one.hostname, one.config])).toEqual([
      ['deep1', { weight: ['deep1'], colour: 'red' }],
      ['web10', { weight: 3, colour: null }],
      ['web2', { weight: '8', colour: null }],
    ])
    await webs.web2.update({ configValues: { weight: '{{ nothing }}' } })
    await expect(balancer.config()).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', message: expect.stringMatching(/^Config of Structure web2: 'weight'/) },
    })
    await balancer.update({ configValues: { member_values: null } })
    expect(await hostnames(balancer)).toEqual(['deep1', 'web10', 'web2'])
  })

  it('may be each other’s: members of members are not looked for', async () => {
    const { balancer, webs } = await openFarm()
    await webs.web10.update({ configValues: { members_of: 'balancer', names: '{{ _members|default( "none" ) }}' } })
    await balancer.update({ configValues: { members_of: 'web', member_values: ['names'] } })
    await balancer.setBuilt()
    const members = (await balancer.config())._members as { config: { names: unknown } }[]
    expect(members.map(one => one.config.names)).toEqual([null, 'none', null])
    expect((await webs.web10.config()).names).toContain("'hostname': 'lb1'")
  })

  it.each([
    [{ members_of: '{{ _hostname }}' }, "'members_of' must be the name of a StructureBluePrint, and no template"],
    [{ members_of: ['web'] }, "'members_of' must be the name of a StructureBluePrint, and no template"],
    [{ members_of: 'web', member_values: 'weight' }, "'member_values' must be a list of names of config values"],
    [{ members_of: 'web', member_values: ['{{ x }}'] }, "'member_values' must be a list of names of config values"],
    [{ members_of: 'web', member_values: ['_structure_job_cookie'] }, "'member_values' must be a list of names"],
  ])('said wrongly are refused when the config is asked for: %j', async (configValues, message) => {
    const { balancer, contractor, webs } = await openFarm()
    await balancer.update({ configValues })
    await expect(balancer.config()).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', message: expect.stringContaining(`Config of Structure lb1: ${message}`) },
    })
    expect(await contractor.structures.config(webs.web10.id)).toMatchObject({ weight: 3 })
  })
})

describe('templates, scripts and machines', () => {
  it('have the members', async () => {
    const { contractor, balancer } = await openFarm()
    await contractor.scripts.put({ name: 'tell', source: 'pause( msg=structure.members[ 1 ][ "hostname" ] )' })
    await contractor.blueprints.put({
      ...{ kind: 'structure', name: 'balancer', scripts: { create: 'tell' } },
      configValues: { servers: '{% for one in _members %}{{ one.hostname }}={{ one.config.weight }} {% endfor %}' },
    })
    await balancer.update({ configValues: { members_of: 'web', member_values: ['weight'] } })
    expect((await balancer.config()).servers).toBe('deep1=None web10=3 web2=8 ')
    const job = await balancer.doCreate()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'web10' })

    await contractor.pxes.put({
      name: 'install',
      bootScript: 'exit',
      template: '{{ _members|map( attribute="hostname" )|join( "," ) }}',
    })
    await contractor.interfaces.create({
      ...{ kind: 'real', foundation: 'lb1', name: 'eth0', provisioning: true, pxe: 'install' },
    })
    expect(await contractor.hosts.pxeTemplate({ structure: balancer.id })).toBe('deep1,web10,web2')
    expect(await contractor.hosts.config({ structure: balancer.id })).toMatchObject({ _members: [{}, {}, {}] })
  })

  it('do not learn by a member what proves who that one is', async () => {
    const { contractor, balancer, webs } = await openFarm()
    await webs.web10.update({
      configValues: { told: '{{ _structure_config_uuid|default( "hidden" ) }} {{ __config_location }}' },
    })
    await balancer.update({ configValues: { members_of: 'web', member_values: ['told'] } })
    const { configUuid } = await webs.web10.refresh()
    const unproven = await contractor.hosts.config({ structure: balancer.id })
    expect(JSON.stringify(unproven)).not.toContain(configUuid)
    expect(JSON.stringify(unproven)).toContain('hidden')
    expect(JSON.stringify(await balancer.config())).toContain(configUuid)
  })
})

it('costs one statement more for a whole load, and none where nothing says members_of', async () => {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  let statements: string[] = []
  const client = postgres(database.option, {
    ...{ max: 1, onnotice: () => undefined, debug: (_connection, query) => void statements.push(query) },
  })
  onTestFinished(() => client.end())
  const contractor = await createContractor({
    ...{ database: client, plugins: [lathe], clock: createManualClock(), foreman: false },
  })
  onTestFinished(() => contractor.close())
  await fill(contractor)
  const counted = async (filter: object) => {
    await contractor.structures.configs(filter)
    statements = []
    await contractor.structures.configs(filter)
    return statements.length
  }
  const without = await counted({ blueprint: 'web' })
  expect(await counted({ blueprint: 'balancer' })).toBe(without + 1)
  expect(await counted({})).toBe(without + 1)
})

async function fill(contractor: Shop['contractor']) {
  await contractor.sites.create({ name: 'lab' })
  await contractor.resources.loadText(
    "[foundation.base]\n[structure.web]\n[structure.balancer]\nconfig_values = { members_of = 'web', member_values = ['a'] }\n",
    'a.toml',
  )
  for (const [hostname, blueprint] of [
    ['web1', 'web'],
    ['web2', 'web'],
    ['lb1', 'balancer'],
    ['lb2', 'balancer'],
  ] as const) {
    await contractor.foundations.create({
      ...{ locator: hostname, type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: 's' } },
    })
    await contractor.foundations.setBuilt(hostname)
    const one = await contractor.structures.create({ hostname, site: 'lab', blueprint, foundation: hostname })
    await one.setBuilt()
  }
}
