import {
  defineComplex,
  defineFoundation,
  defineFunction,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
} from '@contractor/plugin'

import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

/** A virtual machine as drivers make one: by the Structure's config, with MACs that its maker invents. */
const tasks = defineTasks({
  create: {
    params: z.object({ name: z.string(), cpus: z.number(), networks: z.array(z.string().nullable()) }),
    result: z.object({ uuid: z.string(), macs: z.record(z.string(), z.string()) }),
  },
})
const fields = z.object({ uuid: z.string().optional(), port: z.string().default('ttyS1') })
type Context = FunctionContext<z.output<typeof fields>>

const create = defineTaskFunction({
  args: z.object({ spec: z.object({ cpus: z.number() }) }),
  readsConfig: true,
  task: tasks.create,
  params: ({ spec }, { foundation, config }: Context) => ({
    name: foundation.locator,
    cpus: spec.cpus,
    networks: z
      .array(z.object({ network: z.string().nullable() }))
      .parse(config('_foundation_interface_list'))
      .map(one => one.network),
  }),
  result: z.string(),
  value: ({ uuid }) => uuid,
  macs: ({ macs }) => macs,
  idempotent: true,
})

const place = z.string().optional()
const move = defineFunction({
  args: z.object({ eth0: place, eth1: place }),
  state: z.record(z.string(), z.string()),
  result: z.null(),
  start: given =>
    Object.fromEntries(Object.entries(given).filter((pair): pair is [string, string] => Boolean(pair[1]))),
  outcome: addresses => ({ kind: 'done', value: null, addresses }),
})

const vat = defineFoundation({
  type: 'Vat',
  fields,
  tasks,
  values: {
    uuid: {
      get: foundation => foundation.fields.uuid ?? null,
      set: value => ({ uuid: value === null ? undefined : z.string().parse(value) }),
    },
    spec: {
      readsConfig: true,
      get: (_, { config }) => ({ cpus: Number(config('cpu_count') ?? 1) }),
    },
  },
  config: ({ fields: { uuid, port }, locator }) => ({
    ...{ _vat_uuid: uuid ?? null, _console: port, vat_name: `{{ ${locator} }}`, brand: 'vat' },
  }),
  functions: { move },
  moduleFunctions: { create },
})

const cellar = defineComplex({ type: 'Cellar', fields: z.object({ depth: z.number() }) })
const barrel = defineFoundation({
  type: 'Barrel',
  complex: cellar,
  fields: z.object({}),
  config: ({ complex, complexFields }) => ({ _barrel_cellar: complex, barrel_depth: complexFields?.depth ?? null }),
  functions: {},
})

describe('the laws of plugins', () => {
  const laws = pluginLaws(vat, undefined, {
    args: { create: [{ spec: { cpus: 2 } }] },
    replies: { create: [{ uuid: 'u', macs: {} }] },
    config: { _foundation_interface_list: [] },
  })
  for (const { name, run } of laws) it(name, run)
})

const script = `foundation.uuid = vat.create( spec=foundation.spec )
foundation.uuid = None
foundation.uuid = 'u2'`

describe.each(databaseKinds)('what a Foundation type says and makes, on $kind', kind => {
  async function open(source: string) {
    const shop = await openShop(kind, { plugins: [vat, cellar, barrel] })
    const { contractor } = shop
    await contractor.scripts.put({ name: 'make', source })
    await contractor.blueprints.put({
      ...{
        kind: 'foundation',
        name: 'vat-base',
        scripts: { create: 'make' },
        configValues: { cpu_count: 64, brand: 'b' },
      },
    })
    await contractor.blueprints.put({ kind: 'structure', name: 'top', configValues: { cpu_count: '{{ 2 * 2 }}' } })
    await contractor.networks.create({ name: 'wire', site: 'lab' })
    await contractor.foundations.create({ locator: 'v1', type: 'Vat', site: 'lab', blueprint: 'vat-base' })
    await contractor.interfaces.createMany([
      { kind: 'real', foundation: 'v1', name: 'eth0', physicalLocation: 'slot1', network: 'wire' },
      { kind: 'real', foundation: 'v1', name: 'eth1' },
    ])
    const claim = () => shop.claim({ vat: 1 })
    const begin = async () => {
      await contractor.foundations.setLocated('v1')
      const { id } = await (await contractor.foundations.get('v1')).doCreate()
      await contractor.foreman.runDue()
      return id
    }
    return { ...shop, claim, begin }
  }
  const above = { hostname: 'h1', site: 'lab', blueprint: 'top', foundation: 'v1' }

  it('is made by the config of the Structure that stands on it, and told its MACs by port or name', async () => {
    const { contractor, claim, begin, answer } = await open(script)
    await contractor.structures.create(above)
    const id = await begin()
    const [task] = await claim()
    expect(task?.params).toEqual({ name: 'v1', cpus: 4, networks: ['wire', null] })
    const macs = { slot1: '08002712AB34', eth1: '0800.2712.ab35' }
    await answer(task as NonNullable<typeof task>, { uuid: 'u1', macs })
    expect(await contractor.jobs.get(id)).toMatchObject({ outcome: 'completed' })
    const { items } = await contractor.interfaces.list({ foundation: 'v1' })
    expect(items.map(one => one.mac)).toEqual(['08:00:27:12:ab:34', '08:00:27:12:ab:35'])
    expect((await contractor.foundations.get('v1')).fields).toEqual({ uuid: 'u2', port: 'ttyS1' })
  })

  it.each([
    [{ slot9: '080027000001' }, /has no interface 'slot9': it has slot1, eth1/],
    [{ slot1: 'nonsense' }, /the MAC of 'slot1'/],
  ])('is refused the MACs %j', async (macs, message) => {
    const { contractor, claim, begin, answer } = await open(script)
    await contractor.structures.create(above)
    const id = await begin()
    const [task] = await claim()
    await answer(task as NonNullable<typeof task>, { uuid: 'u1', macs: macs as Record<string, string> })
    expect(await contractor.jobs.get(id)).toMatchObject({ state: 'error', message: expect.stringMatching(message) })
  })

  it('moves the Address that the Structure on it has on an interface, and says why one cannot be moved', async () => {
    const { contractor, begin } = await open("foundation.move( eth0='10.0.0.9', eth1='10.0.0.10' )\n")
    await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
    const { id } = await contractor.structures.create(above)
    const [first, second] = await contractor.addresses.createMany([
      { ip: '10.0.0.5', structure: id, interface: 'eth0', primary: true },
      { ip: '10.0.0.10', structure: id, interface: 'eth1' },
    ])
    const job = await begin()
    expect(await contractor.jobs.get(job)).toMatchObject({ outcome: 'completed' })
    expect(await contractor.addresses.get(first?.id ?? 0)).toMatchObject({ ip: '10.0.0.9', primary: true })
    expect(await contractor.addresses.get(second?.id ?? 0)).toMatchObject({ ip: '10.0.0.10', version: second?.version })
    const events = await contractor.events.list({})
    expect(events.filter(one => one.type === 'address.changed')).toMatchObject([
      { by: `Job ${job}`, data: { ip: '10.0.0.9', addressBlock: 'lan' } },
    ])
  })

  it.each([
    ["eth0='10.0.0.6'", /10\.0\.0\.6.*(is|has|taken)/s],
    ["eth0='192.168.7.1'", /192\.168\.7\.1/],
    [
      "eth1='10.0.0.9'",
      /No Structure on Foundation 'v1' has an Address on interface 'eth1' that could become 10\.0\.0\.9/,
    ],
    ["eth0='nonsense'", /'nonsense', of interface 'eth0', is no IP address/],
  ])('is refused Addresses that move with %s', async (moves, message) => {
    const { contractor, begin } = await open(`foundation.move( ${moves} )\n`)
    await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
    const { id } = await contractor.structures.create(above)
    await contractor.addresses.createMany([
      { ip: '10.0.0.5', structure: id, interface: 'eth0' },
      { kind: 'reserved', ip: '10.0.0.6', site: 'lab', reason: 'a printer' },
    ])
    const job = await begin()
    expect(await contractor.jobs.get(job)).toMatchObject({ state: 'error', reason: expect.stringMatching(message) })
  })

  it('says so where no Structure stands on it', async () => {
    const { contractor, begin } = await open(script)
    const id = await begin()
    expect(await contractor.jobs.get(id)).toMatchObject({
      message: expect.stringMatching(/No Structure stands on Foundation 'v1', whose config says what it is to be/),
    })
  })

  it('adds to its own config and that of the Structure: attributes, and values that the Structure may change', async () => {
    const { contractor } = await open(script)
    const structure = await contractor.structures.create({ ...above, configValues: { brand: 'mine' } })
    const said = { _vat_uuid: null, _console: 'ttyS1', vat_name: '{{ v1 }}' }
    expect(await contractor.structures.config(structure.id)).toMatchObject({ ...said, brand: 'mine' })
    await contractor.sites.update('lab', { configValues: { brand: 'site' } })
    expect(await contractor.foundations.config('v1')).toMatchObject({ ...said, brand: 'vat' })
  })

  it('adds what its Complex says, as it is now', async () => {
    const { contractor } = await open(script)
    await contractor.complexes.create({ name: 'deep', site: 'lab', type: 'Cellar', fields: { depth: 3 } })
    await contractor.foundations.create({
      ...{ locator: 'b1', type: 'Barrel', site: 'lab', blueprint: 'vat-base', complex: 'deep' },
    })
    const structure = await contractor.structures.create({ ...above, foundation: 'b1' })
    const said = () => contractor.structures.config(structure.id)
    expect(await said()).toMatchObject({ _barrel_cellar: 'deep', barrel_depth: 3 })
    await contractor.complexes.update('deep', { fields: { depth: 4 } })
    expect(await said()).toMatchObject({ barrel_depth: 4 })
    expect(await contractor.foundations.config('b1')).toMatchObject({ barrel_depth: 4 })
  })

  it('has its module’s functions in Jobs of its own type alone', async () => {
    const { contractor } = await open(script)
    const [listed] = await contractor.plugins.list()
    expect(listed?.functions.map(one => one.name)).toEqual(['move', 'vat.create'])
    await expect(contractor.scripts.put({ name: 'bad', source: 'vat.create( specs=1 )' })).rejects.toThrow('specs')
    await expect(contractor.scripts.put({ name: 'bad', source: 'vat.destroy()' })).rejects.toThrow('destroy')
  })
})
