import { describe, expect, it } from 'vitest'
import { postgresKind } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

/** Two machines, of which one is bonded, and one that has no address yet. */
async function openRack() {
  const shop = await openShop(postgresKind)
  const { contractor } = shop
  const pxes = '[pxe.install]\nboot_script = "chain"\n[pxe.rescue]\nboot_script = "sanboot"\n'
  await contractor.resources.loadText(pxes, 'pxe.toml')
  const { structure: one } = await shop.stack({}, 'one')
  const { structure: two } = await shop.stack({}, 'two')
  await shop.stack({}, 'three')
  await contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  await contractor.networks.create({ name: 'wire', site: 'lab', mtu: 9000, addressBlocks: [{ addressBlock: 'main' }] })
  const real = (foundation: string, name: string, mac: string | null, provisioning = false) =>
    ({
      kind: 'real',
      foundation,
      name,
      mac,
      provisioning,
      network: 'wire',
      pxe: provisioning ? 'install' : null,
    }) as const
  await contractor.interfaces.createMany([
    real('one', 'eth0', '52:54:00:00:00:10', true),
    real('one', 'eth1', null),
    real('two', 'eth0', '52:54:00:00:00:21', true),
    real('two', 'eth1', '52:54:00:00:00:20'),
    real('three', 'eth0', '52:54:00:00:00:30', true),
    { kind: 'aggregated', structure: two.id, name: 'bond0', members: ['eth0', 'eth1'], network: 'wire' },
  ])
  const on = { addressBlock: 'main', interface: 'eth0' }
  await contractor.addresses.createMany([
    { ...on, structure: one.id, ip: '10.0.0.11', alias: 1 },
    { ...on, structure: one.id, ip: '10.0.0.12', primary: true },
    { ...on, structure: one.id, ip: '10.0.0.13', interface: 'eth1' },
    { ...on, structure: two.id, ip: '10.0.0.20', interface: 'bond0' },
    ...[100, 101, 102, 104].map(offset => ({ kind: 'dynamic' as const, addressBlock: 'main', offset })),
    ...[105, 106].map(offset => ({ kind: 'dynamic' as const, addressBlock: 'main', offset, pxe: 'rescue' })),
  ])
  return { ...shop, one, two }
}

describe('the DHCP data of a Site', () => {
  it('has its subnets with leases by MAC and pools, and who boots without a lease', async () => {
    const { contractor, one, two } = await openRack()
    await contractor.sites.update('lab', {
      configValues: { dns_servers: ['10.0.0.2', '2001:DB8:0::2'], domain_name: 'lab.test' },
    })
    const { digest, ...data } = await contractor.dhcp.forSite('lab')
    const lease = { domain: 'lab.test', pxe: 'install', interface: 'eth0' }
    const ofOne = { ...lease, hostname: 'one', structure: one.id, foundation: 'one' }
    const ofTwo = { ...lease, hostname: 'two', structure: two.id, foundation: 'two', ip: '10.0.0.20' }
    expect(data).toEqual({
      site: 'lab',
      domain: 'lab.test',
      dnsServers: ['10.0.0.2', '2001:db8::2'],
      subnets: [
        {
          ...{ addressBlock: 'main', subnet: '10.0.0.0/24', family: 4, prefix: 24, netmask: '255.255.255.0' },
          ...{ gateway: '10.0.0.1', gatewayOnLink: false, mtu: 9000 },
          pools: [
            { first: '10.0.0.100', last: '10.0.0.102', pxe: null },
            { first: '10.0.0.104', last: '10.0.0.104', pxe: null },
            { first: '10.0.0.105', last: '10.0.0.106', pxe: 'rescue' },
          ],
          leases: [
            { ...ofOne, mac: '52:54:00:00:00:10', ip: '10.0.0.12' },
            { ...ofTwo, mac: '52:54:00:00:00:20', interface: 'eth1', pxe: null },
            { ...ofTwo, mac: '52:54:00:00:00:21' },
          ],
        },
      ],
      boots: [{ mac: '52:54:00:00:00:30', foundation: 'three', interface: 'eth0', pxe: 'install' }],
    })
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('has a digest that changes with what it says, and with nothing else', async () => {
    const { contractor } = await openRack()
    const digest = async () => (await contractor.dhcp.forSite('lab')).digest
    const first = await digest()
    await contractor.sites.update('lab', { description: 'a room' })
    expect(await digest()).toBe(first)
    const [port] = (await contractor.interfaces.list({ mac: '5254.0000.0010' })).items
    await contractor.interfaces.update(port?.id ?? 0, { pxe: 'rescue' })
    expect(await digest()).not.toBe(first)
    await contractor.interfaces.update(port?.id ?? 0, { pxe: 'install' })
    expect(await digest()).toBe(first)
  })

  it('refuses DNS servers that are none, and an unknown Site', async () => {
    const { contractor } = await openShop()
    await contractor.sites.update('lab', { configValues: { dns_servers: ['ns1'] } })
    await expect(contractor.dhcp.forSite('lab')).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', data: { key: 'dns_servers' } },
    })
    await expect(contractor.dhcp.forSite('moon')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

it('a Foundation that is destroyed forgets its MACs, what it boots, and its id map; others keep theirs', async () => {
  const { contractor } = await openRack()
  const foundation = await contractor.foundations.get('one')
  await foundation.setLocated()
  await foundation.setDestroyed()
  const seen = (await contractor.interfaces.list()).items.filter(one => one.kind === 'real')
  expect(seen.map(one => [one.foundation, one.name, one.mac, one.pxe, one.provisioning])).toEqual([
    ['one', 'eth0', null, null, true],
    ['one', 'eth1', null, null, false],
    ['two', 'eth0', '52:54:00:00:00:21', 'install', true],
    ['two', 'eth1', '52:54:00:00:00:20', null, false],
    ['three', 'eth0', '52:54:00:00:00:30', 'install', true],
  ])
})
