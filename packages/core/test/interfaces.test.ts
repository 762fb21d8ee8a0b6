import type { Contractor } from '@contractor/core'
import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { databaseKinds, type TestDatabase } from '../../../test/databases.ts'
import { loadInterfaceMaps } from '../src/network/interface-map.ts'
import { openShop } from './shop.ts'

type Input = Parameters<Contractor['interfaces']['create']>[0]

async function openPorts() {
  const shop = await openShop()
  const { structure } = await shop.stack({})
  const { contractor } = shop
  const real = (name: string, more = {}) =>
    contractor.interfaces.create({ kind: 'real', foundation: 'one', name, ...more })
  return { ...shop, id: structure.id, real }
}

/** With a handle of its own, as another part of the engine would. */
async function readMaps({ option }: TestDatabase, targets: Parameters<typeof loadInterfaceMaps>[1]) {
  if (option instanceof PGlite) return loadInterfaceMaps(drizzlePglite({ client: option }), targets)
  const client = postgres(String(option), { max: 1 })
  try {
    return await loadInterfaceMaps(drizzlePostgres(client), targets)
  } finally {
    await client.end()
  }
}

describe('an Interface', () => {
  it.each([
    ...['52:54:00:AB:CD:EF', '52-54-00-ab-cd-ef', '52.54.00.ab.cd.ef', '52 54 00 ab cd ef', '52:54:0:ab:cd:ef'],
    ...['5254.00ab.cdef', '5254-00ab-cdef', '5254:00AB:CDEF', '525400-abcdef', '525400:abcdef', '525400ABCDEF'],
    ' 52:54:00:ab:cd:ef ',
  ])('knows its MAC written as %s', async mac => {
    const { contractor, real } = await openPorts()
    expect(await real('eth0', { mac })).toMatchObject({ mac: '52:54:00:ab:cd:ef' })
    expect((await contractor.interfaces.list({ mac })).items).toHaveLength(1)
  })

  it.each([
    ['a name of blanks', { name: ' ' }, 'VALIDATION_FAILED', 'name: must not be empty'],
    ['a name of two lines', { name: 'eth0\neth1' }, 'VALIDATION_FAILED', 'name: must be without control characters'],
    ['a name of 256 characters', { name: 'e'.repeat(256) }, 'VALIDATION_FAILED', '255 characters'],
    ['a name with half a character', { name: 'eth\ud83d' }, 'VALIDATION_FAILED', 'without halves of characters'],
    ['a location with a control character', { physicalLocation: 'LOM\t1' }, 'VALIDATION_FAILED', 'control characters'],
    ['a MAC that is none', { mac: '52:54:00' }, 'VALIDATION_FAILED', 'mac: must be a MAC'],
    ['a MAC of mixed spelling', { mac: '52:54:00-12:34:56' }, 'VALIDATION_FAILED', 'mac: must be a MAC'],
    ['a MAC of a group', { mac: '01:00:5e:00:00:01' }, 'VALIDATION_FAILED', 'is a group address'],
    ['the broadcast MAC', { mac: 'ff:ff:ff:ff:ff:ff' }, 'VALIDATION_FAILED', 'is a group address'],
    ['a MAC of zeros', { mac: '000000000000' }, 'VALIDATION_FAILED', 'is all zeros'],
    [
      'a MAC of another',
      { mac: '52:54:00:00:00:01' },
      'ALREADY_EXISTS',
      "is that of Interface 'eth0' of Foundation 'one' already",
    ],
    [
      'a name of another',
      { name: 'eth0' },
      'ALREADY_EXISTS',
      "Interface 'eth0' of Foundation 'one' cannot be: it has one of that name",
    ],
    ['a name that its Structure has', { name: 'br0' }, 'ALREADY_EXISTS', 'has one, and they share their names'],
    [
      'a neighbour without a port',
      { neighbour: 'switch1' },
      'VALIDATION_FAILED',
      'neighbour: must be the switch and its port',
    ],
    ['an unknown Network', { network: 'x' }, 'NOT_FOUND', "Network 'x' does not exist"],
    ['an unknown PXE', { pxe: 'x' }, 'NOT_FOUND', "PXE 'x' does not exist"],
    ['an unknown Foundation', { foundation: 'x' }, 'NOT_FOUND', "Foundation 'x' does not exist"],
    ['a member though it is real', { members: ['eth0'] }, 'VALIDATION_FAILED', 'members'],
    ['an unknown kind', { kind: 'virtual' }, 'VALIDATION_FAILED', 'kind'],
  ])('with %s is refused', async (_, wrong, code, message) => {
    const { contractor, id, real } = await openPorts()
    await real('eth0', { mac: '52:54:00:00:00:01' })
    await contractor.interfaces.create({ kind: 'abstract', structure: id, name: 'br0' })
    await expect(
      contractor.interfaces.create({ kind: 'real', foundation: 'one', name: 'eth1', ...wrong } as Input),
    ).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect((await contractor.interfaces.list()).items).toHaveLength(2)
  })

  it.each([
    ...['vmnic0', 'enp3s0f0np0', 'eth0.100', 'Ethernet 2', 'vEthernet (Default Switch)', 'Gi1/0/1', '1:12', '以太网'],
    'HPE Ethernet 1Gb 4-port 366FLR Adapter #2',
  ])('is called what the machine calls it: %s', async name => {
    const { contractor, id, real } = await openPorts()
    await contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet: '10.0.0.0/24' })
    await real(` ${name} `, { mac: '52:54:00:00:00:01', physicalLocation: `Slot 1, ${name}`, provisioning: true })
    await contractor.interfaces.create({ kind: 'aggregated', structure: id, name: `${name} team`, members: [name] })
    await contractor.addresses.create({ structure: id, interface: name, ip: '10.0.0.5' })
    const motd = `{{ _interface_map['${name}'].address_list.0.address }} {{ _primary_interface }}`
    await contractor.structures.update(id, { configValues: { motd } })
    const config = await contractor.structures.config(id)
    expect(config).toMatchObject({ motd: `10.0.0.5 ${name}`, _provisioning_interface: name })
    expect((await contractor.dhcp.forSite('lab')).subnets).toMatchObject([{ leases: [{ interface: name }] }])
    expect((await contractor.interfaces.list({ structure: id })).items).toMatchObject([{ members: [name] }])
  })

  it('of a Structure has no name of its Foundation, also when both are given together', async () => {
    const { contractor, id, real } = await openPorts()
    const both: Input[] = [
      { kind: 'real', foundation: 'one', name: 'eth0' },
      { kind: 'abstract', structure: id, name: 'eth0' },
    ]
    await expect(contractor.interfaces.createMany(both)).rejects.toThrow('they share their names')
    await expect(contractor.interfaces.createMany([both[0] as Input, both[0] as Input])).rejects.toThrow(
      'is given twice',
    )
    await real('eth0')
    await expect(contractor.interfaces.create(both[1] as Input)).rejects.toThrow(
      `Interface 'eth0' of Structure ${id} cannot be: Foundation 'one' has one, and they share their names`,
    )
    const bridge = await contractor.interfaces.create({ kind: 'abstract', structure: id, name: 'br0' })
    await expect(contractor.interfaces.update(bridge.id, { name: 'eth0' })).rejects.toThrow('they share their names')
  })

  it('is aggregated of real ones of the Foundation and abstract ones of the Structure, none of them twice', async () => {
    const { contractor, id, real } = await openPorts()
    for (const name of ['eth0', 'eth1']) await real(name)
    await contractor.interfaces.create({ kind: 'abstract', structure: id, name: 'tun0' })
    const bond = (name: string, members: string[]) =>
      contractor.interfaces.create({
        kind: 'aggregated',
        structure: id,
        name,
        members,
        parameters: { mode: '802.3ad' },
      })
    const made = await bond('bond0', ['eth1', 'tun0'])
    expect(made).toMatchObject({ members: ['eth1', 'tun0'], parameters: { mode: '802.3ad' } })
    await expect(bond('bond1', ['eth1'])).rejects.toThrow(
      "cannot have the member 'eth1': it belongs to 'bond0' already",
    )
    await expect(bond('bond1', ['eth0', 'eth0'])).rejects.toThrow("it belongs to 'bond1' already")
    await expect(bond('bond1', ['bond0'])).rejects.toThrow('that is aggregated itself')
    await expect(bond('bond1', ['eth7'])).rejects.toThrow(
      'neither the Structure nor its Foundation has such an interface',
    )
    await expect(bond('bond1', [])).rejects.toThrow('must name one member at least')
    expect((await contractor.interfaces.list({ structure: id })).items).toHaveLength(2)
    expect(await contractor.interfaces.update(made.id, { members: ['eth0', 'eth1'] })).toMatchObject({
      members: ['eth0', 'eth1'],
    })
  })

  it('that is provisioned from takes that from the one that was', async () => {
    const { contractor, real } = await openPorts()
    const first = await real('eth0', { provisioning: true })
    const second = await real('eth1', { provisioning: true })
    const which = async () =>
      (await contractor.interfaces.list({ foundation: 'one' })).items
        .filter(one => one.provisioning)
        .map(one => one.name)
    expect([first.provisioning, second.provisioning, await which()]).toEqual([true, true, ['eth1']])
    await contractor.interfaces.update(first.id, { provisioning: true })
    expect(await which()).toEqual(['eth0'])
  })

  it('that an address or an aggregated one needs is not deleted, and takes its addresses along to a new name', async () => {
    const { contractor, id, real } = await openPorts()
    await contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet: '10.0.0.0/24' })
    const port = await real('eth0')
    const bond = await contractor.interfaces.create({
      kind: 'aggregated',
      structure: id,
      name: 'bond0',
      members: ['eth0'],
    })
    const address = await contractor.addresses.create({ structure: id, interface: 'eth0', ip: '10.0.0.5' })
    await expect(contractor.interfaces.delete(port.id)).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Interface bond0', 'Address 10.0.0.5'] } },
    })
    await contractor.interfaces.update(port.id, { name: 'enp1s0' })
    expect(await contractor.addresses.get(address.id)).toMatchObject({ interface: 'enp1s0' })
    await contractor.addresses.delete(address.id)
    await contractor.interfaces.delete(bond.id)
    await contractor.interfaces.delete(port.id)
    await expect(contractor.interfaces.get(port.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.events.list()).map(one => one.type)).toContain('interface.deleted')
  })
})

describe('the interface map', () => {
  it.each(databaseKinds)('on $kind has the interfaces of Structure and Foundation with their addresses', async kind => {
    const { contractor, stack, database } = await openShop(kind)
    const { structure } = await stack({})
    const { id } = structure
    await contractor.addressBlocks.create({ name: 'four', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
    await contractor.addressBlocks.create({ name: 'six', site: 'lab', subnet: '2001:db8::/64' })
    await contractor.networks.create({
      ...{ name: 'wire', site: 'lab', mtu: 9000 },
      addressBlocks: [{ addressBlock: 'four', vlan: 7, tagged: true }],
    })
    await contractor.interfaces.createMany([
      { kind: 'real', foundation: 'one', name: 'eth10', network: 'wire' },
      {
        kind: 'real',
        foundation: 'one',
        name: 'eth2',
        mac: '525400000001',
        provisioning: true,
        physicalLocation: 'LOM1',
      },
      { kind: 'aggregated', structure: id, name: 'bond0', members: ['eth10', 'eth2'], parameters: { mode: 1 } },
    ])
    const [first] = await contractor.addresses.createMany([
      { structure: id, interface: 'eth10', ip: '2001:db8::5', addressBlock: 'six' },
      { structure: id, interface: 'eth10', ip: '10.0.0.6', alias: 1 },
      { structure: id, interface: 'eth10', ip: '10.0.0.7', primary: true },
      { structure: id, interface: 'bond0', ip: '10.0.0.8' },
    ])
    await contractor.addresses.create({ structure: id, pointer: first?.id ?? 0, ip: '10.0.0.9' })
    const maps = await readMaps(database, { structures: [id, 999], foundations: ['one', 'x'] })
    expect([...maps.structures.keys(), ...maps.foundations.keys()]).toEqual([id, 'one'])
    const map = maps.structures.get(id) ?? []
    expect(map.map(one => [one.name, one.kind, one.provisioning, one.primary])).toEqual([
      ['bond0', 'aggregated', false, false],
      ['eth2', 'real', true, false],
      ['eth10', 'real', false, true],
    ])
    expect(map[0]).toMatchObject({ members: ['eth10', 'eth2'], parameters: { mode: 1 }, network: null, mtu: null })
    expect(map[1]).toMatchObject({ mac: '52:54:00:00:00:01', physicalLocation: 'LOM1', addresses: [] })
    const four = {
      family: 4,
      prefix: 24,
      netmask: '255.255.255.0',
      subnet: '10.0.0.0/24',
      gateway: '10.0.0.1',
      auto: true,
    }
    const wire = { network: 'wire', mtu: 9000 }
    expect(map[2]?.addresses).toMatchObject([
      { ...four, ...wire, address: '10.0.0.7', primary: true, alias: null, vlan: 7, tagged: true },
      { ...four, ...wire, address: '10.0.0.6', primary: false, alias: 1, vlan: 7, tagged: true },
      {
        ...wire,
        address: '2001:db8::5',
        family: 6,
        prefix: 64,
        netmask: null,
        gateway: null,
        vlan: null,
        tagged: false,
      },
    ])
    expect(map[0]?.addresses).toMatchObject([{ address: '10.0.0.8', vlan: null, network: null }])
    expect(maps.foundations.get('one')).toEqual(map.slice(1))
  })

  it('is at a port that the BluePrint of its Foundation names, where that names any, itself or by inheritance', async () => {
    const { contractor } = await openShop()
    const named = { physicalInterfaceNames: ['LOM1', 'LOM2'] }
    await contractor.blueprints.put({ kind: 'foundation', name: 'metal', ...named })
    await contractor.blueprints.put({ kind: 'foundation', name: 'box', parents: ['metal'] })
    const fields = { serial: 's' }
    await contractor.foundations.create({ locator: 'm1', type: 'Lathe', site: 'lab', blueprint: 'box', fields })
    const port = { kind: 'real' as const, foundation: 'm1', name: 'eth0' }
    const message =
      "Interface 'eth0' of Foundation 'm1' cannot be at 'NIC9': BluePrint 'metal' names the ports LOM1, LOM2"
    await expect(contractor.interfaces.create({ ...port, physicalLocation: 'NIC9' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message,
    })
    const { id } = await contractor.interfaces.create({ ...port, physicalLocation: 'LOM2' })
    await expect(contractor.interfaces.update(id, { physicalLocation: 'NIC9' })).rejects.toMatchObject({ message })
    expect(await contractor.interfaces.update(id, { physicalLocation: null })).toMatchObject({ physicalLocation: null })
  })
})
