import { join } from 'node:path'
import { iputils } from '@contractor/plugin-iputils'
import { describe, expect, it } from 'vitest'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

/** Two files in the T3kton format, with every construct that such files use; each needs the other. */
const folder = join(import.meta.dirname, 'resources')
const files = ['press.toml', 'hosts.toml'].map(name => join(folder, name))

/** A machine with two ports, as the files describe it. */
async function openPressRoom() {
  const { contractor } = await openShop(undefined, {
    ...{ plugins: [lathe, iputils], url: 'http://contractor', pxeUrl: 'http://static/' },
  })
  const loaded = await contractor.resources.load(files)
  await contractor.zones.create({ name: 'example.com', email: 'a@example.com', nameservers: ['ns.example.net'] })
  await contractor.sites.update('lab', {
    ...{ zone: 'example.com', configValues: { motto: null, dns_servers: ['10.0.0.2', '10.0.0.3'] } },
  })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  await contractor.networks.create({ name: 'wire', site: 'lab', addressBlocks: [{ addressBlock: 'lan' }] })
  await contractor.foundations.create({
    ...{ locator: 'm1', type: 'Lathe', site: 'lab', blueprint: 'bench-machine', fields: { serial: 's' } },
  })
  const press = await contractor.structures.create({
    ...{ hostname: 'press1', site: 'lab', blueprint: 'press-host', foundation: 'm1' },
  })
  await contractor.interfaces.createMany([
    { kind: 'real', foundation: 'm1', name: 'eth0', provisioning: true, network: 'wire', pxe: 'press-install' },
    { kind: 'real', foundation: 'm1', name: 'eth1', network: 'wire' },
  ])
  await contractor.addresses.createMany([
    { kind: 'static', ip: '10.0.0.12', structure: press.id, interface: 'eth1', primary: true },
    { kind: 'static', ip: '10.0.0.11', structure: press.id, interface: 'eth0' },
  ])
  return { contractor, loaded, press }
}

describe('files of the T3kton format', () => {
  it('load together, whichever comes first, with scripts that check, and again without a change', async () => {
    const { contractor, loaded } = await openPressRoom()
    expect(loaded.warnings).toEqual([])
    expect(new Set(loaded.changes.map(one => one.change))).toEqual(new Set(['created']))
    for (const again of [files, [...files].reverse(), [folder], [folder, ...files]]) {
      const { changes } = await contractor.resources.load(again)
      expect(changes).toHaveLength(11)
      expect(changes.filter(one => one.change !== 'unchanged')).toEqual([])
    }
    expect(await contractor.blueprints.get('bench-machine')).toMatchObject({
      ...{ template: null, physicalInterfaceNames: ['eth0', 'eth1'], foundationTypes: ['Lathe'] },
    })
    expect(await contractor.blueprints.get('press-host')).toMatchObject({
      ...{ parents: ['plain-host'], foundationBlueprints: ['bench-machine', 'cloud-guest'] },
    })
  })

  it('tell a machine that boots its config, its boot script and its template', async () => {
    const { contractor, press } = await openPressRoom()
    const { configUuid } = press
    const config = await contractor.hosts.config({ configUuid })
    expect(Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith('_')))).toEqual({
      dns_servers: ['10.0.0.2', '10.0.0.3'],
      installer: 'press-install',
      scratch_size: 256,
      guest_kind: 'metal64',
      package_list: ['ssh-daemon', 'sensor-tools'],
      first_boot_list: ['set-clock --utc', 'calibrate --trays 2', 'print-test'],
      account_list: [{ name: 'operator', group: 'shop', rights: ['print', 'stop'] }],
      probe_ports: [22, 631],
      press_name: 'Press of press1',
      banner: 'Press of press1, 2 trays, metal64',
      trays: [
        { name: 'top', sheets: 500 },
        { name: 'bottom', sheets: 250 },
      ],
      spool_map: { 'spool.quota': '128G', 'spool.server': '10.0.0.2', folders: 2 },
    })
    expect(await contractor.hosts.bootScript({ configUuid })).toBe(`#!ipxe

echo Installing a press
kernel http://static/press/vmlinuz auto url=http://contractor/config/pxe_template/c/${configUuid} hostname=press1 console=tty0
initrd http://static/press/initrd
boot
`)
    expect(await contractor.hosts.pxeTemplate({ configUuid })).toBe(`
host press1.example.com
address 10.0.0.12/24 via 10.0.0.1 on wire
names 10.0.0.2 (10.0.0.2, 10.0.0.3)
proxy none
packages ssh-daemon sensor-tools
plain None True ['print', 'stop']
port0: eth1 (primary)
port1: eth0
tray 1 top 0500
tray 2 bottom 0250
run set-clock --utc;
run calibrate --trays 2;
run print-test
`)
  })
})
