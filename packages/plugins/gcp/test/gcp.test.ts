import { join } from 'node:path'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { fields } from '../src/connection.ts'
import { gce } from '../src/gce.ts'
import { createHandlers, handlers } from '../src/handlers/index.ts'
import { nicsOf, vmSpec } from '../src/vm-spec.ts'
import { startCompute } from './fake-compute.ts'

const vm_spec = { image_family: 'debian-cloud/debian-12' }
const place = { gce_project: 'web-1234', gce_zone: 'europe-west3-a' }
const nic = { network: 'default', address: '10.156.0.2', external_address: null }
const state = {
  ...{ exists: true, status: 'RUNNING', id: '7', machine_type: 'e2-medium', interfaces: [nic], call: 'call-1' },
}

describe('the laws of plugins', () => {
  const laws = pluginLaws(gce, handlers, {
    fields: place,
    args: { create: [{ vm_spec }] },
    replies: {
      create: [{ id: '7', addresses: { eth0: '203.0.113.1' } }],
      state: [
        state,
        { ...state, status: 'STAGING' },
        { ...state, exists: false, id: null, interfaces: [], call: null },
      ],
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      addresses: [{ addresses: { eth0: '203.0.113.1' } }],
      interfaces: [{ map: { eth0: '42:01:0a:9c:00:02' } }],
      destroy: [{ destroyed: true }],
      list: [
        {
          project: 'web-1234',
          machines: ['europe-west3-a', 'europe-west3-b'].map(zone => ({
            ...{ name: 'web', zone, id: '7', status: 'RUNNING', machine_type: 'e2-medium' },
          })),
        },
      ],
    },
    config: {
      gce_image_family: 'debian-12',
      _foundation_interface_list: [{ name: 'eth0', physical_location: 'eth0', network: null, mac: null }],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is to be', () => {
  it('is read in the forms that templates give', () => {
    expect(
      vmSpec.parse({ image: 'web-7', disk_size: '20', spot: 'True', metadata_map: { 'serial-port-enable': true } }),
    ).toMatchObject({
      ...{ machine_type: 'e2-medium', disk_size: 20, spot: true, metadata_map: { 'serial-port-enable': 'true' } },
      ...{ external_address: 'ephemeral', image_family: null },
    })
  })

  it.each([
    [{}, 'needs gce_image or gce_image_family'],
    [{ image: 'a', image_family: 'b' }, 'one of the two'],
    [{ image: 'a', external_address: 'yes' }, 'external_address'],
    [{ image: 'a', label_map: { 'contractor-call': 'x' } }, 'label_map'],
    [{ image: 'a', label_map: { team: 'Web' } }, 'must be small letters'],
    [{ image: 'a', tag_list: ['Web'] }, 'tag_list'],
    [{ image: '--x' }, 'must be a name'],
  ])('%j is refused', (given, message) => {
    expect(JSON.stringify(vmSpec.safeParse(given).error ?? null)).toContain(message.replaceAll('"', '\\"'))
  })

  it('has the interfaces of its Foundation, with their Networks and addresses', () => {
    const spec = vmSpec.parse({ image: 'a' })
    const list = [
      { name: 'eth0', network: 'lab', address_list: [{ address: 'fd00::1' }, { address: '10.0.0.9' }] },
      { name: 'eth1', network: 'back' },
    ]
    expect(nicsOf(spec, list)).toEqual([
      { name: 'eth0', network: 'lab', subnetwork: null, address: '10.0.0.9' },
      { name: 'eth1', network: 'back', subnetwork: null, address: null },
    ])
    expect(nicsOf(vmSpec.parse({ image: 'a', subnetwork: 'sub', internal_address: '10.0.0.1' }), list)[0]).toEqual({
      ...{ name: 'eth0', network: null, subnetwork: 'sub', address: '10.0.0.1' },
    })
    expect(nicsOf(spec, [])).toEqual([{ name: 'eth0', network: null, subnetwork: null, address: null }])
  })

  it.each(['1web', 'Web', 'web_1', 'w'.repeat(64)])('has another name than %s', locator => {
    const foundation = { locator, fields: fields.parse(place) }
    const start = (more: object) =>
      gce.moduleFunctions.create?.start(
        { vm_spec: vmSpec.parse(vm_spec) },
        createFunctionContext({ foundation: { ...foundation, fields: { ...foundation.fields, ...more } } }),
      )
    expect(() => start({})).toThrow(`'${locator}' cannot be the name of a machine there`)
    expect(start({ gce_instance_name: 'web-1' })).toMatchObject({ params: { name: 'web-1', locator } })
  })

  it('has a key that is one, which no message repeats', () => {
    const given = fields.safeParse({ ...place, gce_service_account_key: '{"private_key": "geheim"}' })
    expect(JSON.stringify(given.error)).toContain('must be the JSON text of a service account’s key')
    expect(JSON.stringify(given.error)).not.toContain('geheim')
  })
})

it('goes through server and agent from create to destroy, and shows no secret', { timeout: 120_000 }, async () => {
  const compute = await startCompute()
  onTestFinished(() => compute.stop())
  const rig = await openRig({
    plugins: [gce],
    handlers: [createHandlers({ everyMs: 1 })],
    resources: [join(import.meta.dirname, '../resources.toml')],
  })
  const { contractor } = rig
  await contractor.blueprints.put({
    ...{ kind: 'structure', name: 'web' },
    configValues: {
      ...{ gce_image_family: 'debian-cloud/debian-12', gce_label_map: { team: 'web' } },
      gce_metadata_map: { 'startup-script': 'password=geheim-boot' },
    },
  })
  await contractor.foundations.create({
    ...{ locator: 'web01', type: 'GCE', site: 'lab', blueprint: 'gce-vm-base' },
    fields: {
      ...{ ...place, gce_endpoint: compute.url, gce_fingerprint: compute.fingerprint },
      gce_service_account_key: compute.key,
    },
  })
  await contractor.interfaces.create({ kind: 'real', foundation: 'web01', name: 'eth0', physicalLocation: 'eth0' })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  const web = await contractor.structures.create({
    hostname: 'web01',
    site: 'lab',
    blueprint: 'web',
    foundation: 'web01',
  })
  await contractor.addresses.create({ kind: 'static', ip: '10.0.0.9', structure: web.id, interface: 'eth0' })
  await contractor.foundations.setLocated('web01')
  await rig.finish(contractor.foundations.doCreate('web01'))
  const [machine] = compute.project.machines
  expect(machine).toMatchObject({
    ...{ name: 'web01', status: 'RUNNING', labels: { team: 'web', 'contractor-foundation': 'web01' } },
    body: { networkInterfaces: [{ networkIP: '10.0.0.9' }] },
  })
  expect(await web.config()).toMatchObject({
    ...{ _gce_id: machine?.id, _gce_zone: 'europe-west3-a', ip_address_map: { eth0: '203.0.113.1' } },
  })
  expect(await contractor.foundations.read('web01')).toMatchObject({ exists: true, details: { status: 'RUNNING' } })
  await rig.finish(contractor.foundations.doJob('web01', 'power_cycle'))
  expect(await web.config()).toMatchObject({ ip_address_map: { eth0: '203.0.113.2' } })
  await rig.finish(contractor.foundations.doDestroy('web01'))
  expect(compute.project.machines).toEqual([])
  expect((await contractor.foundations.get('web01')).fields).not.toHaveProperty('gce_id')
  const seen = JSON.stringify([
    ...[await contractor.foundations.get('web01'), (await contractor.jobs.list({})).items, rig.lines],
  ])
  expect(seen).not.toContain(compute.privateKey.split('\n')[3])
  expect(seen).not.toContain('geheim-boot')
})
