import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

async function openNet() {
  const { contractor, stack } = await openShop()
  const create = (subnet: string, gateway: string | null) =>
    contractor.addressBlocks.create({ name: 'main', site: 'lab', subnet, gateway })
  return { contractor, stack, create }
}

describe('a gateway outside of its subnet', () => {
  it.each([
    ['10.0.0.0/24', '169.254.0.1'],
    ['2001:db8::/64', 'fe80::1'],
  ])('of %s is taken without a word when it is link-local: %s', async (subnet, gateway) => {
    const { create } = await openNet()
    expect(await create(subnet, gateway)).toMatchObject({ gateway, warnings: [] })
  })

  it.each([
    ['10.0.0.0/24', '10.0.1.1'],
    ['10.0.0.7/32', '172.31.1.1'],
    ['2001:db8::/64', '2001:db8:1::1'],
  ])('of %s is taken and told: %s', async (subnet, gateway) => {
    const { create, contractor } = await openNet()
    const told = [`The gateway ${gateway} is not in ${subnet}: machines need a route to it on the wire itself`]
    expect(await create(subnet, gateway)).toMatchObject({ gateway, warnings: told })
    expect(await contractor.addressBlocks.get('main')).toMatchObject({ warnings: told })
    expect((await contractor.dhcp.forSite('lab')).subnets).toMatchObject([{ gateway }])
  })

  it('stays when the block is moved; one within is left behind only if that is said', async () => {
    const { create, contractor } = await openNet()
    await create('10.0.0.0/24', '169.254.0.1')
    const move = (subnet: string, more = {}) => contractor.addressBlocks.update('main', { subnet, ...more })
    expect(await move('10.0.9.0/24')).toMatchObject({ gateway: '169.254.0.1', warnings: [] })
    expect(await move('10.0.9.0/24', { gateway: '10.0.9.200' })).toMatchObject({ warnings: [] })
    await expect(move('10.0.9.0/25')).rejects.toThrow('would be outside: say a new one, or null')
    expect((await move('10.0.9.0/25', { gateway: '10.0.9.200' })).warnings).toHaveLength(1)
  })

  it.each([
    ['10.0.0.0/24', '10.0.0.5', '10.0.0.1', false],
    ['10.0.0.0/24', '10.0.0.5', null, false],
    ['10.0.0.0/24', '10.0.0.5', '169.254.0.1', true],
    ['10.0.0.7/32', '10.0.0.7', '172.31.1.1', true],
    ['2001:db8::/64', '2001:db8::5', 'fe80::1', true],
  ])('of %s is marked, for %s: %s, %s', async (subnet, ip, gateway, isOnLink) => {
    const { create, contractor, stack } = await openNet()
    const { structure } = await stack({})
    await create(subnet, gateway)
    await contractor.interfaces.create({ kind: 'real', foundation: 'one', name: 'eth0', mac: '52:54:00:00:00:01' })
    await contractor.addresses.create({ structure: structure.id, interface: 'eth0', ip })
    expect((await contractor.dhcp.forSite('lab')).subnets).toMatchObject([{ gateway, gatewayOnLink: isOnLink }])
    const { _primary_address: address } = await structure.config()
    expect(address).toMatchObject({ address: ip, gateway, gateway_on_link: isOnLink })
  })

  it('is not of the other family', async () => {
    const { create } = await openNet()
    await expect(create('10.0.0.0/24', 'fe80::1')).rejects.toThrow('it is not of the family of 10.0.0.0/24')
  })
})
