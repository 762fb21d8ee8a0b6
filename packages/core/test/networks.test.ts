import type { Contractor } from '@contractor/core'
import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

type BlockInput = Parameters<Contractor['addressBlocks']['create']>[0]

describe('an AddressBlock', () => {
  it.each(databaseKinds)('on $kind says what it is, and how it is used', async kind => {
    const { contractor } = await openShop(kind)
    const four = await contractor.addressBlocks.create({
      name: 'four',
      site: 'lab',
      subnet: '10.0.0.0/22',
      gateway: '10.0.0.1',
    })
    expect(four).toMatchObject({ family: 4, prefix: 22, netmask: '255.255.252.0', size: '1024', gateway: '10.0.0.1' })
    const six = await contractor.addressBlocks.create({ name: 'six', site: 'lab', subnet: '2001:DB8:0::/64' })
    expect(six).toMatchObject({ subnet: '2001:db8::/64', netmask: null, size: String(2n ** 64n), gateway: null })
    await contractor.addresses.create({ kind: 'reserved', ip: '2001:db8::1', site: 'lab' })
    expect(await contractor.addressBlocks.usage('four')).toEqual({ static: 0, reserved: 0, dynamic: 0, free: '1021' })
    expect(await contractor.addressBlocks.usage('six')).toMatchObject({ reserved: 1, free: String(2n ** 64n - 2n) })
    expect((await contractor.addressBlocks.list({ site: 'lab' })).items).toEqual([four, six])
    expect(await contractor.addressBlocks.update('four', { description: 'x' })).toMatchObject({ gateway: '10.0.0.1' })
  })

  it.each([
    ['a subnet that is none', { subnet: '10.0.0.0' }, 'VALIDATION_FAILED', 'subnet: must be a subnet with its prefix'],
    ['a prefix too long', { subnet: '10.0.0.0/33' }, 'VALIDATION_FAILED', 'subnet: must be a subnet'],
    [
      'host bits',
      { subnet: '10.0.0.7/24' },
      'VALIDATION_FAILED',
      '10.0.0.7 is an address inside of a subnet: 10.0.0.0/24 was probably meant',
    ],
    ['host bits of IPv6', { subnet: '2001:db8::1/64' }, 'VALIDATION_FAILED', '2001:db8::/64 was probably meant'],
    ['a subnet of groups', { subnet: '224.0.0.0/8' }, 'VALIDATION_FAILED', 'is a multicast address'],
    [
      'a gateway of the other family',
      { gateway: '2001:db8::1' },
      'VALIDATION_FAILED',
      "AddressBlock 'b' cannot have the gateway 2001:db8::1: it is not of the family of 10.0.1.0/24",
    ],
    ['the network address as gateway', { gateway: '10.0.1.0' }, 'VALIDATION_FAILED', 'it is its network address'],
    ['the broadcast address as gateway', { gateway: '10.0.1.255' }, 'VALIDATION_FAILED', 'it is its broadcast address'],
    [
      'the only address as gateway',
      { subnet: '10.0.1.1/32', gateway: '10.0.1.1' },
      'VALIDATION_FAILED',
      'would leave no address',
    ],
    ['an unknown Site', { site: 'moon' }, 'NOT_FOUND', "Site 'moon' does not exist"],
    ['a name with a dot', { name: 'a.b' }, 'VALIDATION_FAILED', 'name: must be letters'],
    ['a taken name', { name: 'taken' }, 'ALREADY_EXISTS', "An AddressBlock 'taken' exists already"],
    [
      'what another one has',
      { subnet: '10.0.0.128/25' },
      'IN_USE',
      "it would overlap 10.0.0.0/24 of AddressBlock 'taken' in Site 'lab'",
    ],
    [
      'what contains another one',
      { subnet: '10.0.0.0/8' },
      'IN_USE',
      "it would overlap 10.0.0.0/24 of AddressBlock 'taken'",
    ],
    ['an unknown field', { vlan: 7 }, 'VALIDATION_FAILED', 'vlan'],
  ])('with %s is refused', async (_, wrong, code, message) => {
    const { contractor } = await openShop()
    await contractor.addressBlocks.create({ name: 'taken', site: 'lab', subnet: '10.0.0.0/24' })
    const input = { name: 'b', site: 'lab', subnet: '10.0.1.0/24', ...wrong } as BlockInput
    await expect(contractor.addressBlocks.create(input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
    expect((await contractor.addressBlocks.list()).items).toHaveLength(1)
  })

  it('may overlap one of another Site; of two made at once in one Site, one is refused and told why', async () => {
    const { contractor } = await openShop()
    await contractor.sites.create({ name: 'other' })
    const create = (name: string, site: string) =>
      contractor.addressBlocks.create({ name, site, subnet: '10.0.0.0/24' })
    await create('there', 'other')
    const made = await Promise.allSettled(['a', 'b', 'c'].map(name => create(name, 'lab')))
    expect(made.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    for (const one of made) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'IN_USE' })
  })

  it('that is moved takes its gateway and addresses along', async () => {
    const { contractor } = await openShop()
    const reserve = (addressBlock: string, ...offsets: number[]) =>
      contractor.addresses.createMany(offsets.map(offset => ({ kind: 'reserved', addressBlock, offset })))
    await contractor.addressBlocks.create({ name: 'four', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
    await contractor.addressBlocks.create({ name: 'six', site: 'lab', subnet: '2001:db8::/64', gateway: '2001:db8::1' })
    await reserve('four', 2, 100)
    await reserve('six', 2, 4096)
    const ips = async (addressBlock: string) =>
      (await contractor.addresses.list({ addressBlock })).items.map(one => one.ip)
    expect(await contractor.addressBlocks.update('four', { subnet: '192.168.7.0/25' })).toMatchObject({
      ...{ gateway: '192.168.7.1', subnet: '192.168.7.0/25' },
    })
    expect(await ips('four')).toEqual(['192.168.7.2', '192.168.7.100'])
    await contractor.addressBlocks.update('six', { subnet: '2001:db8:ffff::/48' })
    expect(await ips('six')).toEqual(['2001:db8:ffff::2', '2001:db8:ffff::1000'])
    expect((await contractor.addresses.next({ addressBlock: 'four', kind: 'dynamic' })).ip).toBe('192.168.7.3')
    const [, last] = (await contractor.events.list()).filter(one => one.type === 'address-block.changed')
    expect(last?.data).toMatchObject({ addressBlock: 'six', from: '2001:db8::/64', subnet: '2001:db8:ffff::/48' })
  })

  it('that is resized keeps them where they are', async () => {
    const { contractor } = await openShop()
    await contractor.addressBlocks.create({ name: 'four', site: 'lab', subnet: '10.0.1.0/24', gateway: '10.0.1.1' })
    await contractor.addresses.create({ kind: 'reserved', ip: '10.0.1.100', site: 'lab' })
    for (const subnet of ['10.0.0.0/16', '10.0.1.0/25']) {
      expect(await contractor.addressBlocks.update('four', { subnet })).toMatchObject({ subnet, gateway: '10.0.1.1' })
      expect((await contractor.addresses.list()).items.map(one => one.ip)).toEqual(['10.0.1.100'])
    }
  })

  it.each([
    ['into a smaller one', { subnet: '192.168.0.0/25' }, 'IN_USE', ['10.0.0.127', '10.0.0.200']],
    ['within itself', { subnet: '10.0.0.0/25' }, 'IN_USE', ['10.0.0.127', '10.0.0.200']],
    ['onto another gateway', { gateway: '10.0.0.200' }, 'IN_USE', ['10.0.0.200']],
    ['away from its gateway', { subnet: '10.0.0.128/25' }, 'VALIDATION_FAILED', []],
    ['into another family', { subnet: '2001:db8::/64', gateway: null }, 'IN_USE', []],
    ['over another block', { subnet: '10.1.0.0/24' }, 'IN_USE', []],
  ])('is not changed %s where what it has would not fit, and the refusal lists that', async (_, changes, code, ips) => {
    const { contractor } = await openShop()
    const before = await contractor.addressBlocks.create({
      ...{ name: 'four', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
    })
    await contractor.addressBlocks.create({ name: 'next', site: 'lab', subnet: '10.1.0.0/16' })
    await contractor.addresses.createMany(
      ['10.0.0.2', '10.0.0.127', '10.0.0.200'].map(ip => ({ kind: 'reserved', ip, site: 'lab' })),
    )
    const refused = await contractor.addressBlocks.update('four', changes).catch(error => error)
    expect(refused).toMatchObject({ code })
    if (ips.length) expect(refused.data.by).toEqual(ips.map(ip => `Address ${ip}`))
    expect(await contractor.addressBlocks.get('four')).toEqual(before)
    expect((await contractor.addresses.list()).items.map(one => one.ip)).toEqual([
      '10.0.0.2',
      '10.0.0.127',
      '10.0.0.200',
    ])
  })

  it('that is empty may change its family', async () => {
    const { contractor } = await openShop()
    await contractor.addressBlocks.create({ name: 'four', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
    const subnet = '2001:db8::/64'
    await expect(contractor.addressBlocks.update('four', { subnet })).rejects.toThrow('say its new gateway too')
    const gateway = '2001:db8::1'
    expect(await contractor.addressBlocks.update('four', { subnet, gateway })).toMatchObject({ family: 6, gateway })
  })

  it('that a Network or an address needs is not deleted, and keeps its Site', async () => {
    const { contractor } = await openShop()
    await contractor.addressBlocks.create({ name: 'four', site: 'lab', subnet: '10.0.0.0/24' })
    await contractor.networks.create({ name: 'wire', site: 'lab', addressBlocks: [{ addressBlock: 'four' }] })
    const address = await contractor.addresses.create({ kind: 'reserved', ip: '10.0.0.2', site: 'lab' })
    await expect(contractor.addressBlocks.delete('four')).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Network wire', 'Address 10.0.0.2'] } },
    })
    await expect(contractor.sites.delete('lab')).rejects.toMatchObject({
      data: { by: ['AddressBlock four', 'Network wire'] },
    })
    await contractor.networks.delete('wire')
    await contractor.addresses.delete(address.id)
    await contractor.addressBlocks.delete('four')
    await contractor.sites.delete('lab')
    await expect(contractor.addressBlocks.get('four')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a Network', () => {
  it('carries AddressBlocks on VLANs, and is not deleted while interfaces are connected', async () => {
    const { contractor, stack } = await openShop()
    await stack({})
    for (const [name, subnet] of Object.entries({ a: '10.0.0.0/24', b: '2001:db8::/64' })) {
      await contractor.addressBlocks.create({ name, site: 'lab', subnet })
    }
    const wire = await contractor.networks.create({
      ...{ name: 'wire', site: 'lab' },
      addressBlocks: [{ addressBlock: 'b', vlan: 9, tagged: true }, { addressBlock: 'a' }],
    })
    expect(wire).toMatchObject({
      mtu: 1500,
      addressBlocks: [
        { addressBlock: 'a', vlan: null, tagged: false },
        { addressBlock: 'b', vlan: 9, tagged: true },
      ],
    })
    const port = await contractor.interfaces.create({ kind: 'real', foundation: 'one', name: 'eth0', network: 'wire' })
    await expect(contractor.networks.delete('wire')).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Interface Foundation one eth0'] } },
    })
    await expect(contractor.networks.update('wire', { mtu: 1279 })).rejects.toThrow(
      "Network 'wire' carries IPv6 (AddressBlock 'b'), which needs an MTU of 1280 at least, not 1279",
    )
    expect(await contractor.networks.update('wire', { mtu: 68, addressBlocks: [] })).toMatchObject({
      addressBlocks: [],
    })
    await contractor.interfaces.update(port.id, { network: null })
    await contractor.networks.delete('wire')
    expect((await contractor.networks.list()).items).toEqual([])
  })

  it.each([
    ['an MTU of 67', { mtu: 67 }, 'VALIDATION_FAILED', 'mtu'],
    ['an MTU of 65536', { mtu: 65_536 }, 'VALIDATION_FAILED', 'mtu'],
    [
      'an MTU too small for its IPv6',
      { mtu: 1279, addressBlocks: [{ addressBlock: 'six' }] },
      'VALIDATION_FAILED',
      'needs an MTU of 1280',
    ],
    ['VLAN 0', { addressBlocks: [{ addressBlock: 'six', vlan: 0 }] }, 'VALIDATION_FAILED', 'vlan'],
    ['VLAN 4095', { addressBlocks: [{ addressBlock: 'six', vlan: 4095 }] }, 'VALIDATION_FAILED', 'vlan'],
    [
      'tags without a VLAN',
      { addressBlocks: [{ addressBlock: 'six', tagged: true }] },
      'VALIDATION_FAILED',
      'tagged without a VLAN',
    ],
    [
      'a block twice',
      { addressBlocks: [{ addressBlock: 'six' }, { addressBlock: 'six' }] },
      'VALIDATION_FAILED',
      'twice',
    ],
    ['an unknown block', { addressBlocks: [{ addressBlock: 'x' }] }, 'NOT_FOUND', "AddressBlock 'x' does not exist"],
    ['an unknown Site', { site: 'moon' }, 'NOT_FOUND', "Site 'moon' does not exist"],
    ['a taken name', { name: 'taken' }, 'ALREADY_EXISTS', "A Network 'taken' exists already"],
  ])('with %s is refused', async (_, wrong, code, message) => {
    const { contractor } = await openShop()
    await contractor.addressBlocks.create({ name: 'six', site: 'lab', subnet: '2001:db8::/64' })
    await contractor.networks.create({ name: 'taken', site: 'lab' })
    await expect(contractor.networks.create({ name: 'wire', site: 'lab', ...wrong })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
    expect((await contractor.networks.list()).items).toHaveLength(1)
  })
})
