import { join } from 'node:path'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { azure } from '../src/azure.ts'
import { azureComplex } from '../src/connection.ts'
import { createHandlers, handlers } from '../src/handlers/index.ts'
import { nicsOf, vmSpec } from '../src/vm-spec.ts'
import { startAzure, subscriptionId } from './fake-azure.ts'

const azure_image = { publisher: 'canonical', offer: 'ubuntu-24_04-lts', sku: 'server', version: 'latest' }
const vm_spec = { azure_image, azure_admin_username: 'ops', azure_admin_password: 'Geheim-123456' }
const complexFields = {
  ...{ azure_subscription_id: subscriptionId, azure_tenant_id: subscriptionId, azure_client_id: subscriptionId },
  ...{ azure_password: 'Geheim~8Q', azure_location: 'GermanyWestCentral', azure_resource_group: 'Lab' },
}
const state = { name: 'web', power: 'running', provisioning: 'Succeeded', size: 'Standard_B2s', call: 'call-1' }
const eth0 = { name: 'eth0', physical_location: 'slot 1', network: 'lab-net', mac: null }

describe('the laws of plugins', () => {
  const laws = pluginLaws(azure, handlers, {
    complexFields,
    args: { create: [{ vm_spec }], set_interface_macs: [{ interface_map: { eth0: '00:0d:3a:00:00:01' } }] },
    replies: {
      create: [{ name: 'web', interface_map: { 'slot 1': '00:0d:3a:00:00:01' } }],
      state: [state, { ...state, name: null, call: null }],
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      interfaces: [{ interface_map: { 'slot 1': '00:0d:3a:00:00:01' } }],
      destroy: [{ destroyed: true }],
      list: [
        {
          machines: [
            { name: 'web', size: 'Standard_B2s', provisioning: 'Succeeded' },
            { name: '1.old', size: 'Standard_B2s', provisioning: 'Failed' },
          ],
        },
      ],
    },
    config: { ...vm_spec, _foundation_interface_list: [eth0] },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is to be', () => {
  it.each([
    [{ azure_image: undefined }, 'azure_image'],
    [{ azure_image: { ...azure_image, version: undefined } }, 'azure_image'],
    [{ azure_image: { ...azure_image, more: 'x' } }, 'azure_image'],
    [{ azure_admin_username: undefined }, 'azure_admin_username'],
    [{ azure_admin_password: undefined }, 'needs azure_admin_password or azure_ssh_public_key'],
    [{ azure_admin_password: 'short' }, 'azure_admin_password'],
    [{ azure_tag_map: { 'contractor.call': 'x' } }, 'azure_tag_map'],
    [{ azure_zone: 'a' }, 'must be an availability zone'],
  ])('%j is refused', (more, message) => {
    const { error } = vmSpec.safeParse({ ...vm_spec, ...more })
    expect(JSON.stringify(error?.issues ?? null)).toContain(message)
  })

  it('has the interfaces of its Foundation, with their Networks and addresses, IPv4 first', () => {
    const spec = vmSpec.parse({ ...vm_spec, azure_zone: 1 })
    expect(spec).toMatchObject({ azure_size: 'Standard_D1_v2', azure_subnet: 'default', azure_zone: '1' })
    expect(nicsOf(spec, [{ ...eth0, address_list: [{ address: 'fd00::9' }, { address: '10.0.0.9' }] }])).toEqual([
      { name: 'eth0', location: 'slot 1', network: 'lab-net', addresses: ['10.0.0.9', 'fd00::9'] },
    ])
    expect(() => nicsOf(spec, [])).toThrow("Interface 'eth0' is on no Network: set that, or azure_network")
    expect(nicsOf({ ...spec, azure_network: 'back' }, [])).toEqual([
      { name: 'eth0', location: null, network: 'back', addresses: [] },
    ])
  })

  it.each(['1web', 'web.1', 'web-', 'w'.repeat(65)])('has another name than %s', locator => {
    const complex = { name: 'a', type: 'Azure', site: 'lab', fields: azureComplex.fields.parse(complexFields) }
    const context = createFunctionContext({ foundation: { locator, complex }, config: {} })
    expect(() => azure.moduleFunctions.create?.start({ vm_spec: vmSpec.parse(vm_spec) }, context)).toThrow(
      `'${locator}' cannot be the name of a machine of Azure`,
    )
  })

  it('is in an account whose ids are kept in lower case, and whose secret is as it is', () => {
    expect(
      azureComplex.fields.parse({ ...complexFields, azure_tenant_id: subscriptionId.toUpperCase() }),
    ).toMatchObject({
      ...{ azure_location: 'germanywestcentral', azure_resource_group: 'lab', azure_password: 'Geheim~8Q' },
      ...{ azure_tenant_id: subscriptionId, azure_management_endpoint: 'https://management.azure.com' },
    })
    for (const wrong of [
      { azure_subscription_id: 'mine' },
      { azure_resource_group: 'a/b' },
      { azure_login_endpoint: 'http://x' },
    ])
      expect(azureComplex.fields.safeParse({ ...complexFields, ...wrong }).success).toBe(false)
  })
})

it('goes through server and agent from create to destroy, and shows no secret', { timeout: 120_000 }, async () => {
  const cloud = await startAzure()
  onTestFinished(() => cloud.stop())
  const rig = await openRig({
    plugins: [azureComplex, azure],
    handlers: [createHandlers({ everyMs: 1 })],
    resources: [join(import.meta.dirname, '../resources.toml')],
  })
  const { contractor } = rig
  await contractor.complexes.create({
    ...{ name: 'cloud', site: 'lab', type: 'Azure' },
    fields: {
      ...{ ...complexFields, azure_tenant_id: cloud.tenantId, azure_client_id: cloud.clientId },
      ...{ azure_password: cloud.password, azure_fingerprint: cloud.fingerprint },
      ...{ azure_login_endpoint: cloud.url, azure_management_endpoint: cloud.url },
    },
  })
  await contractor.blueprints.put({
    ...{ kind: 'structure', name: 'web' },
    configValues: { ...vm_spec, azure_size: 'Standard_B2s', azure_custom_data: 'password=geheim-boot' },
  })
  await contractor.networks.create({ name: 'lab-net', site: 'lab' })
  await contractor.foundations.create({
    ...{ locator: 'web01', type: 'Azure', site: 'lab', blueprint: 'azure-vm-base', complex: 'cloud' },
  })
  await contractor.interfaces.create({
    ...{ kind: 'real', foundation: 'web01', name: 'eth0', physicalLocation: 'eth0', network: 'lab-net' },
  })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  const web = await contractor.structures.create({
    hostname: 'web01',
    site: 'lab',
    blueprint: 'web',
    foundation: 'web01',
  })
  await contractor.addresses.create({ kind: 'static', ip: '10.0.0.9', structure: web.id, interface: 'eth0' })
  // One without members counts as built: so the Foreman locates it by itself.
  await rig.finish(contractor.foundations.doCreate('web01'))
  expect(cloud.group.resources.map(one => one.name)).toEqual(['web01-eth0', 'web01', 'web01-os'])
  expect(JSON.stringify(cloud.group.resources[0]?.properties)).toContain('"privateIPAddress":"10.0.0.9"')
  expect(await web.config()).toMatchObject({
    ...{ _azure_resource_name: 'web01', _azure_complex: 'cloud', _azure_resource_group: 'lab' },
    _azure_location: 'germanywestcentral',
  })
  expect((await contractor.interfaces.list({ foundation: 'web01' })).items).toMatchObject([
    { mac: '00:0d:3a:00:00:01' },
  ])
  expect(await contractor.foundations.read('web01')).toMatchObject({ exists: true, details: { power: 'running' } })
  await rig.finish(contractor.foundations.doJob('web01', 'power_off'))
  expect(cloud.group.resources[1]?.power).toBe('deallocated')
  await rig.finish(contractor.foundations.doDestroy('web01'))
  expect(cloud.group.resources).toEqual([])
  expect((await contractor.foundations.get('web01')).fields).toEqual({})
  const seen = JSON.stringify([
    ...[await contractor.foundations.get('web01'), await contractor.complexes.get('cloud')],
    ...[(await contractor.jobs.list({})).items, rig.lines],
  ])
  for (const secret of [cloud.password, vm_spec.azure_admin_password, 'geheim-boot']) expect(seen).not.toContain(secret)
})
