import { type Contractor, createContractor } from '@contractor/core'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { databaseKinds, pgliteKind, postgresKind } from '../../../test/databases.ts'
import { openShop, type Shop } from './shop.ts'

/** A Structure with two real interfaces, and a block of a Site above. */
async function openNet(subnet = '10.0.0.0/24', gateway: string | null = '10.0.0.1', kind = postgresKind) {
  const shop = await openShop(kind)
  const { contractor } = shop
  const { structure } = await shop.stack({})
  await contractor.interfaces.createMany(
    ['eth0', 'eth1'].map(name => ({ kind: 'real' as const, foundation: 'one', name })),
  )
  await contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet, gateway })
  return { ...shop, id: structure.id }
}

const ipsOf = async ({ contractor }: Pick<Shop, 'contractor'>) =>
  (await contractor.addresses.list({ limit: 1000 })).items.map(one => one.ip)

describe('an Address', () => {
  it('is given by ip, by block and ip, by block and offset, or by block alone', async () => {
    const { contractor, id } = await openNet()
    const on = { structure: id, interface: 'eth0' }
    expect(await contractor.addresses.create({ ...on, ip: '10.0.0.9' })).toMatchObject({ addressBlock: 'main' })
    expect(await contractor.addresses.create({ ...on, addressBlock: 'main', ip: '10.0.0.8' })).toMatchObject({
      ip: '10.0.0.8',
    })
    expect(await contractor.addresses.create({ ...on, addressBlock: 'main', offset: 7 })).toMatchObject({
      ip: '10.0.0.7',
    })
    expect(await contractor.addresses.create({ ...on, addressBlock: 'main', alias: 1 })).toMatchObject({
      ...{ ip: '10.0.0.2', kind: 'static', structure: id, interface: 'eth0', alias: 1, primary: false },
    })
    expect((await contractor.events.list()).filter(one => one.type === 'address.created')).toHaveLength(4)
  })

  it('is looked for in the Site of its Structure first, then in those above, and never beside', async () => {
    const { contractor, id } = await openNet()
    await contractor.sites.create({ name: 'world' })
    await contractor.sites.create({ name: 'other', parent: 'world' })
    await contractor.sites.update('lab', { parent: 'world' })
    await contractor.addressBlocks.create({ name: 'wide', site: 'world', subnet: '10.0.0.0/8' })
    await contractor.addressBlocks.create({ name: 'beside', site: 'other', subnet: '172.16.0.0/16' })
    const on = { structure: id, interface: 'eth0' }
    expect(await contractor.addresses.create({ ...on, ip: '10.0.0.2' })).toMatchObject({ addressBlock: 'main' })
    expect(await contractor.addresses.create({ ...on, ip: '10.1.0.2' })).toMatchObject({ addressBlock: 'wide' })
    await expect(contractor.addresses.create({ ...on, ip: '172.16.0.1' })).rejects.toThrow(
      `No AddressBlock of the Site of Structure ${id} or of the Sites above has 172.16.0.1`,
    )
    expect(await contractor.addresses.create({ ...on, ip: '172.16.0.1', addressBlock: 'beside' })).toMatchObject({
      addressBlock: 'beside',
    })
    expect(await contractor.addresses.create({ kind: 'dynamic', ip: '10.2.0.2', site: 'lab' })).toMatchObject({
      addressBlock: 'wide',
    })
  })

  it.each([
    ['that is none', { ip: '10.0.0' }, 'VALIDATION_FAILED', 'ip: must be an IPv4 address such as 10.0.0.7'],
    ['with leading zeros', { ip: '10.0.0.07' }, 'VALIDATION_FAILED', 'ip: must be an IPv4 address'],
    ['with a zone', { ip: 'fe80::1%eth0' }, 'VALIDATION_FAILED', 'ip: must be an IPv4 address'],
    ['of a group', { ip: '224.0.0.5' }, 'VALIDATION_FAILED', 'ip: is a multicast address'],
    ['of IPv4 as IPv6', { ip: '::ffff:10.0.0.7' }, 'VALIDATION_FAILED', 'write 10.0.0.7'],
    ['of the network', { ip: '10.0.0.0' }, 'VALIDATION_FAILED', "10.0.0.0 is its network address, AddressBlock 'main'"],
    ['of the broadcast', { ip: '10.0.0.255' }, 'VALIDATION_FAILED', '10.0.0.255 is its broadcast address'],
    ['of the gateway', { ip: '10.0.0.1' }, 'VALIDATION_FAILED', '10.0.0.1 is its gateway'],
    [
      'outside of the named block',
      { ip: '10.0.1.1', addressBlock: 'main' },
      'VALIDATION_FAILED',
      'is not in 10.0.0.0/24',
    ],
    ['behind the end', { offset: 256, addressBlock: 'main' }, 'VALIDATION_FAILED', 'offset 256 is outside'],
    ['by offset of no block', { offset: 5 }, 'VALIDATION_FAILED', 'needs the name of the AddressBlock'],
    ['given twice over', { ip: '10.0.0.5', offset: 5, addressBlock: 'main' }, 'VALIDATION_FAILED', 'not both'],
    ['of an unknown block', { ip: '10.0.0.5', addressBlock: 'x' }, 'NOT_FOUND', "AddressBlock 'x' does not exist"],
    ['of an unknown Structure', { ip: '10.0.0.5', structure: 99 }, 'NOT_FOUND', 'Structure 99 does not exist'],
    [
      'on an unknown interface',
      { ip: '10.0.0.5', interface: 'eth9' },
      'NOT_FOUND',
      "has no interface 'eth9': it has eth0, eth1",
    ],
    ['on nothing', { ip: '10.0.0.5', interface: undefined }, 'VALIDATION_FAILED', 'needs the name of its interface'],
    ['on an interface and behind a pointer', { ip: '10.0.0.5', pointer: 1 }, 'VALIDATION_FAILED', 'not both'],
    [
      'that points nowhere',
      { ip: '10.0.0.5', interface: undefined, pointer: 9 },
      'NOT_FOUND',
      'Address 9 does not exist',
    ],
    ['with a reason though it is static', { ip: '10.0.0.5', reason: 'x' }, 'VALIDATION_FAILED', 'reason'],
    ['of an unknown kind', { ip: '10.0.0.5', kind: 'free' }, 'VALIDATION_FAILED', 'kind'],
    [
      'that is taken',
      { ip: '10.0.0.4' },
      'ALREADY_EXISTS',
      "10.0.0.4 of AddressBlock 'main' is taken: it is reserved (printer)",
    ],
    [
      'dynamic with an unknown PXE',
      { ip: '10.0.0.5', kind: 'dynamic', structure: undefined, interface: undefined, pxe: 'x' },
      'NOT_FOUND',
      "PXE 'x' does not exist",
    ],
    [
      'dynamic of nowhere',
      { ip: '10.0.0.5', kind: 'dynamic', structure: undefined, interface: undefined },
      'VALIDATION_FAILED',
      'Say in which AddressBlock 10.0.0.5 is',
    ],
  ])('%s is refused', async (_, wrong, code, message) => {
    const { contractor, id } = await openNet()
    await contractor.addresses.create({ kind: 'reserved', ip: '10.0.0.4', site: 'lab', reason: 'printer' })
    const input = Object.fromEntries(
      Object.entries({ structure: id, interface: 'eth0', ...wrong }).filter(([, value]) => value !== undefined),
    ) as unknown as Parameters<Contractor['addresses']['create']>[0]
    await expect(contractor.addresses.create(input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
    expect((await contractor.addresses.list()).items).toHaveLength(1)
  })

  it('is primary when it is the first of its Structure, and only one is', async () => {
    const { contractor, id } = await openNet()
    const on = { structure: id, interface: 'eth0' }
    const first = await contractor.addresses.create({ ...on, ip: '10.0.0.5' })
    const second = await contractor.addresses.create({ ...on, ip: '10.0.0.6', primary: true })
    const third = await contractor.addresses.create({ ...on, ip: '10.0.0.7' })
    const primaries = async () =>
      (await contractor.addresses.list({ structure: id })).items.filter(one => one.primary).map(one => one.ip)
    expect([first.primary, second.primary, third.primary]).toEqual([true, true, false])
    expect(await primaries()).toEqual(['10.0.0.6'])
    await contractor.addresses.update(third.id, { primary: true })
    expect(await primaries()).toEqual(['10.0.0.7'])
    await expect(
      contractor.addresses.createMany([
        { ...on, ip: '10.0.0.8', primary: true },
        { ...on, ip: '10.0.0.9', primary: true },
      ]),
    ).rejects.toThrow(`Structure ${id} has one primary address at the most: two are given`)
  })

  it('that others point to stays, and pointers are one step long', async () => {
    const { contractor, id } = await openNet()
    const real = await contractor.addresses.create({ structure: id, interface: 'eth0', ip: '10.0.0.5' })
    const outer = await contractor.addresses.create({ structure: id, pointer: real.id, ip: '10.0.0.6' })
    expect(outer).toMatchObject({ pointer: real.id, interface: null, primary: false })
    await expect(contractor.addresses.delete(real.id)).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Address 10.0.0.6'] } },
    })
    await expect(contractor.addresses.create({ structure: id, pointer: outer.id, ip: '10.0.0.7' })).rejects.toThrow(
      'is on no interface: point to one that is',
    )
    await expect(contractor.addresses.update(real.id, { pointer: real.id })).rejects.toThrow('cannot point to itself')
    await expect(contractor.addresses.update(real.id, { pointer: outer.id })).rejects.toThrow('10.0.0.6 points to it')
    await contractor.addresses.update(outer.id, { interface: 'eth1' })
    await contractor.addresses.delete(real.id)
    expect(await ipsOf({ contractor })).toEqual(['10.0.0.6'])
  })

  it('may become another one, with everything checked again', async () => {
    const { contractor, id } = await openNet()
    await contractor.addressBlocks.create({ name: 'six', site: 'lab', subnet: '2001:DB8::/64' })
    const one = await contractor.addresses.create({ structure: id, interface: 'eth0', ip: '10.0.0.2' })
    await contractor.addresses.create({ structure: id, interface: 'eth0', ip: '10.0.0.3' })
    await expect(contractor.addresses.update(one.id, { ip: '10.0.0.3' })).rejects.toThrow(
      "Structure 'one' has it on eth0",
    )
    await expect(contractor.addresses.update(one.id, { ip: '10.0.0.255' })).rejects.toThrow('is its broadcast address')
    await expect(contractor.addresses.update(one.id, { reason: 'x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    expect(await contractor.addresses.update(one.id, { ip: '2001:db8:0::0007', interface: 'eth1' })).toMatchObject({
      ...{ ip: '2001:db8::7', addressBlock: 'six', interface: 'eth1', primary: true },
    })
    expect(await contractor.addresses.next({ addressBlock: 'main', structure: id, interface: 'eth0' })).toMatchObject({
      ip: '10.0.0.2',
    })
  })

  it('goes with its Structure, and is free again', async () => {
    const { contractor, id } = await openNet()
    const next = () => contractor.addresses.next({ addressBlock: 'main', kind: 'reserved' })
    await contractor.addresses.create({ structure: id, interface: 'eth0', addressBlock: 'main' })
    expect((await next()).ip).toBe('10.0.0.3')
    await contractor.structures.delete(id)
    expect(await ipsOf({ contractor })).toEqual(['10.0.0.3'])
    expect([(await next()).ip, (await next()).ip]).toEqual(['10.0.0.2', '10.0.0.4'])
  })
})

describe('the next Address', () => {
  it.each(databaseKinds)('on $kind is the lowest free one, a random one, or the wanted one', async kind => {
    const { contractor } = await openNet('10.0.0.0/28', '10.0.0.2', kind)
    const next = async (more = {}) =>
      (await contractor.addresses.next({ addressBlock: 'main', kind: 'reserved', ...more })).ip
    await contractor.addresses.createMany([
      { kind: 'dynamic', ip: '10.0.0.1', addressBlock: 'main' },
      { kind: 'reserved', ip: '10.0.0.4', addressBlock: 'main' },
    ])
    expect([await next(), await next(), await next({ ip: '10.0.0.12' })]).toEqual(['10.0.0.3', '10.0.0.5', '10.0.0.12'])
    await expect(next({ ip: '10.0.0.12' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    const drawn = new Set<string>()
    for (let draw = 0; draw < 7; draw++) drawn.add(await next({ order: 'random' }))
    expect(drawn.size).toBe(7)
    expect(await contractor.addressBlocks.usage('main')).toEqual({ static: 0, reserved: 11, dynamic: 1, free: '1' })
    drawn.add(await next())
    expect([...drawn].map(ip => Number(ip.slice(7))).sort((a, b) => a - b)).toEqual([6, 7, 8, 9, 10, 11, 13, 14])
    for (const order of ['lowest', 'random']) {
      await expect(next({ order })).rejects.toMatchObject({
        code: 'WRONG_STATE',
        message: expect.stringContaining(
          "AddressBlock 'main' (10.0.0.0/28) is full: it has 0 static, 12 reserved and 1 dynamic addresses and a gateway",
        ),
      })
    }
  })

  it.each([
    ['10.0.0.0/30', '10.0.0.1', ['10.0.0.2']],
    ['10.0.0.0/31', null, ['10.0.0.0', '10.0.0.1']],
    ['10.0.0.5/32', null, ['10.0.0.5']],
    ['255.255.255.252/30', null, ['255.255.255.253', '255.255.255.254']],
    ['255.255.255.254/31', null, ['255.255.255.254', '255.255.255.255']],
    ['2001:db8::/126', '2001:db8::2', ['2001:db8::1', '2001:db8::3']],
    ['2001:db8::/127', null, ['2001:db8::', '2001:db8::1']],
    ['2001:db8::1/128', null, ['2001:db8::1']],
    // Gateways on the wire take none of them.
    ['10.0.0.0/30', '169.254.0.1', ['10.0.0.1', '10.0.0.2']],
    ['10.0.0.4/30', '10.0.0.2', ['10.0.0.5', '10.0.0.6']],
    ['10.0.0.5/32', '172.31.1.1', ['10.0.0.5']],
    ['2001:db8::/126', 'fe80::1', ['2001:db8::1', '2001:db8::2', '2001:db8::3']],
  ])('in %s with the gateway %s are %j, and no more', async (subnet, gateway, ips) => {
    const { contractor } = await openNet(subnet, gateway)
    const ask = (count: number, order: 'lowest' | 'random') =>
      contractor.addresses.nextMany({
        ...{ addressBlock: 'main', order },
        addresses: Array.from({ length: count }, () => ({ kind: 'dynamic' as const })),
      })
    expect((await contractor.addressBlocks.usage('main')).free).toBe(String(ips.length))
    for (const order of ['lowest', 'random'] as const) {
      await expect(ask(ips.length + 1, order)).rejects.toThrow(
        `has ${ips.length} free addresses, not ${ips.length + 1}`,
      )
      expect(await ipsOf({ contractor })).toEqual([])
      const given = await ask(ips.length, order)
      expect(given.map(one => one.ip).sort()).toEqual(ips)
      await expect(ask(1, order)).rejects.toThrow('is full')
      for (const one of given) await contractor.addresses.delete(one.id)
    }
  })

  it('many fill gaps from the lowest on, in the order in which they are asked for', async () => {
    const { contractor, id } = await openNet('2001:db8::/64', '2001:db8::4')
    const taken = ['2001:db8::2', '2001:db8::3', '2001:db8::7', '2001:db8::ffff:0:0:1']
    await contractor.addresses.createMany(taken.map(ip => ({ kind: 'reserved', ip, addressBlock: 'main' })))
    const given = await contractor.addresses.nextMany({
      addressBlock: 'main',
      addresses: Array.from({ length: 5 }, (_, at) => ({ structure: id, interface: 'eth0', alias: at + 1 })),
    })
    expect(given.map(one => [one.ip, one.alias, one.primary])).toEqual([
      ['2001:db8::1', 1, true],
      ['2001:db8::5', 2, false],
      ['2001:db8::6', 3, false],
      ['2001:db8::8', 4, false],
      ['2001:db8::9', 5, false],
    ])
    const drawn = await contractor.addresses.next({ addressBlock: 'main', order: 'random', kind: 'reserved' })
    expect(drawn.ip).toMatch(/^2001:db8::/)
    expect((await contractor.addressBlocks.usage('main')).free).toBe(String(2n ** 64n - 1n - 11n))
  })

  it('is a different one for each of 50 callers at once, of two engines on one PostgreSQL, and none fails', async () => {
    const { contractor, id, database } = await openNet('10.0.0.0/24')
    const other = await createContractor({ database: database.option, foreman: false })
    try {
      const calls = Array.from({ length: 50 }, (_, at) => {
        const { addresses } = at % 2 ? contractor : other
        // Some ask for several Structures' things at once: an address of one Structure, and of none.
        return at % 3
          ? addresses.next({ addressBlock: 'main', kind: 'reserved', order: at % 5 ? 'lowest' : 'random' })
          : addresses.next({ addressBlock: 'main', structure: id, interface: 'eth0' })
      })
      const given = await Promise.all(calls)
      expect(new Set(given.map(one => one.ip)).size).toBe(50)
      expect(given.filter(one => one.primary)).toHaveLength(1)
      expect(given.map(one => one.ip)).not.toContain('10.0.0.1')
    } finally {
      await other.close()
    }
  })

  it('is a different one for each of many callers at once on PGlite too', async () => {
    const { contractor } = await openNet('10.0.0.0/24', null, pgliteKind)
    const calls = Array.from({ length: 10 }, () => contractor.addresses.next({ addressBlock: 'main', kind: 'dynamic' }))
    const ips = (await Promise.all(calls)).map(one => Number(one.ip.split('.')[3]))
    expect(ips.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

describe('many Addresses and interfaces at once', () => {
  it('cost as many statements as one, and come in the order in which they were given', async () => {
    let statements = 0
    const server = await postgresKind.create()
    const client = postgres(String(server.option), { max: 2, onnotice: () => undefined, debug: () => statements++ })
    const shop = await openShop({
      kind: 'postgres',
      create: async () => ({ option: client, drop: async () => undefined }),
    })
    const { contractor } = shop
    const { structure } = await shop.stack({})
    await contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet: '10.0.0.0/16' })
    const count = async (call: () => Promise<unknown>) => {
      const before = statements
      await call()
      return statements - before
    }
    const list = <One>(size: number, make: (at: number) => One) => Array.from({ length: size }, (_, at) => make(at))
    const calls: ((size: number, from: number) => Promise<unknown>)[] = [
      (size, from) =>
        contractor.interfaces.createMany(
          list(size, at => ({ kind: 'real', foundation: 'one', name: `eth${from + at}` })),
        ),
      (size, from) =>
        contractor.addresses.createMany(
          list(size, at => ({
            structure: structure.id,
            interface: 'eth0',
            addressBlock: 'main',
            offset: 9000 - from - at,
          })),
        ),
      (size, from) =>
        contractor.addresses.nextMany({
          addressBlock: 'main',
          addresses: list(size, at => ({ structure: structure.id, interface: 'eth0', alias: from + at + 1 })),
        }),
    ]
    for (const call of calls) {
      const one = await count(() => call(1, 0))
      expect(await count(() => call(500, 1))).toBe(one)
      expect(one).toBeLessThan(16)
    }
    const all = (await contractor.addresses.list({ limit: 1000 })).items
    expect(
      all
        .slice(0, 501)
        .map(one => one.ip.split('.').slice(2).map(Number))
        .map(([high = 0, low = 0]) => high * 256 + low),
    ).toEqual(list(501, at => 9000 - at))
    expect(all.filter(one => one.primary)).toHaveLength(1)
    await contractor.close()
    await client.end()
    await server.drop()
  })
})
