import { join } from 'node:path'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { aws } from '../src/aws.ts'
import { createHandlers, handlers as usualHandlers } from '../src/handlers/index.ts'
import { specOf } from '../src/instance-spec.ts'
import { startEc2 } from './fake-ec2.ts'

const handlers = createHandlers({ everyMs: 1 })
const image = 'ami-0123456789abcdef0'
const id = 'i-0123456789abcdef0'
const nic = { name: 'eth0', mac: '0a:00:00:00:00:01', private_ip: '10.0.0.9', public_ip: null, subnet_id: null }
const state = {
  ...{ state: 'running', id, type: 't3.micro', image_id: image, zone: 'a', interfaces: [nic], call: 'call-1' },
}

describe('the laws of plugins', () => {
  const laws = pluginLaws(aws, usualHandlers, {
    args: {
      set_interface_macs: [{ interface_list: [{ name: 'eth0', mac: '0a:00:00:00:00:01' }] }],
      set_ip_addresses: [{ ip_address_map: { eth0: '203.0.113.1' } }],
    },
    replies: {
      create: [{ id, interface_list: [{ name: 'eth0', mac: nic.mac }], ip_address_map: { eth0: '203.0.113.1' } }],
      state: [state, { ...state, state: 'gone', id: null, interfaces: [], call: null }, { ...state, state: 'pending' }],
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      interfaces: [{ map: { eth0: nic.mac } }],
      destroy: [{ destroyed: true }],
      list: [
        {
          region: 'eu-central-1',
          instances: [
            { ...state, name: 'web' },
            { ...state, name: 'a b' },
          ],
        },
      ],
    },
    config: {
      awsec2_image_id: image,
      awsec2_type: 't3.micro',
      _foundation_interface_list: [{ name: 'eth0', physical_location: 'eth0', network: null, mac: null }],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what an instance is to be', () => {
  const read = (config: Record<string, never | string | number | boolean | object>) =>
    specOf(createFunctionContext({ config: config as never }))

  it('is read of the config, in the forms that templates give', () => {
    expect(
      read({
        ...{ awsec2_image_id: image, awsec2_type: 't3.micro', awsec2_public_ip: 'False', awsec2_tag_map: { team: 7 } },
        awsec2_volume_list: [{ device: '/dev/xvda', size: '20' }],
      }),
    ).toMatchObject({
      ...{ image_id: image, type: 't3.micro', public_ip: false, tag_map: { team: '7' }, subnet_id: null },
      volume_list: [{ device: '/dev/xvda', size: 20, type: 'gp3', iops: null, delete_on_termination: true }],
    })
    expect(read({ awsec2_launch_template: 'web', awsec2_launch_template_version: 3 })).toMatchObject({
      ...{ launch_template: 'web', launch_template_version: '3', image_id: null },
    })
  })

  it.each([
    [{ awsec2_type: 't3.micro' }, 'needs awsec2_image_id and awsec2_type, or an awsec2_launch_template'],
    [{ awsec2_subnet_id: 'sg-0123456789abcdef0' }, 'must be an id that begins with subnet-'],
    [{ awsec2_tag_map: { 'contractor.call': 'x' } }, 'tag_map'],
    [{ awsec2_user_data: 'x'.repeat(20_000) }, 'user_data'],
    [{ awsec2_volume_list: [{ device: '--x' }] }, 'must be a device'],
  ])('%j is refused', (config, message) => {
    expect(() => read(config)).toThrow(message)
  })

  it('has a name that begins with a letter', () => {
    const context = createFunctionContext({
      foundation: { locator: '1web' },
      config: { awsec2_image_id: image, awsec2_type: 't3.micro' },
    })
    expect(() => aws.moduleFunctions.create?.start({}, context)).toThrow(
      "The locator '1web' cannot be the name of a virtual machine",
    )
  })
})

it('goes through server and agent from create to destroy, and shows no secret', { timeout: 120_000 }, async () => {
  const ec2 = await startEc2()
  onTestFinished(() => ec2.stop())
  const rig = await openRig({
    plugins: [aws],
    handlers: [handlers],
    resources: [join(import.meta.dirname, '../resources.toml')],
  })
  const { contractor } = rig
  await contractor.blueprints.put({
    ...{ kind: 'foundation', name: 'web-instance', parents: ['aws-instance-base'] },
    configValues: { awsec2_image_id: image, awsec2_user_data: 'password=geheim-boot' },
  })
  await contractor.foundations.create({
    ...{ locator: 'web', type: 'AWSEC2', site: 'lab', blueprint: 'web-instance' },
    fields: {
      ...{ awsec2_region: ec2.region, awsec2_endpoint: ec2.url, awsec2_access_key_id: ec2.accessKeyId },
      awsec2_secret_access_key: ec2.secretAccessKey,
    },
  })
  await contractor.interfaces.create({ kind: 'real', foundation: 'web', name: 'eth0', physicalLocation: 'port 1' })
  await contractor.foundations.setLocated('web')
  await rig.finish(contractor.foundations.doCreate('web'))
  const [one] = ec2.account.instances
  if (!one) throw new Error('There is no instance')
  expect(await contractor.foundations.config('web')).toMatchObject({
    ...{ _awsec2_instance_id: one.id, ip_address_map: { eth0: '203.0.113.1' } },
  })
  expect((await contractor.interfaces.list({ foundation: 'web' })).items).toMatchObject([{ mac: one.mac }])
  expect(await contractor.foundations.read('web')).toMatchObject({ exists: true, details: { state: 'running' } })
  await contractor.addressBlocks.create({ name: 'public', site: 'lab', subnet: '203.0.113.0/24' })
  await contractor.blueprints.put({ kind: 'structure', name: 'site', foundationBlueprints: ['web-instance'] })
  const { id: structure } = await contractor.structures.create({
    ...{ hostname: 'web', site: 'lab', blueprint: 'site', foundation: 'web' },
  })
  const address = await contractor.addresses.create({ ip: '203.0.113.50', structure, interface: 'eth0' })
  await rig.finish(rig.run('web', 'foundation.set_ip_addresses( ip_address_map=config.ip_address_map )'))
  expect(await contractor.addresses.get(address.id)).toMatchObject({ ip: '203.0.113.1' })
  await rig.finish(rig.run('web', `foundation.power_off( hard=True )\nmap = foundation.get_interface_map()`))
  expect(one.state).toBe('stopped')
  expect(
    await rig.standing(rig.run('web', `foundation.set_interface_macs( interface_list=[] )\naws.create()`)),
  ).toContain(`has instance ${one.id} already`)
  const { items: stopped } = await contractor.jobs.list({ state: 'error' })
  for (const job of stopped) await contractor.jobs.cancel(job.id)
  await rig.finish(contractor.foundations.doDestroy('web'))
  expect(one.state).toBe('terminated')
  expect((await contractor.foundations.get('web')).fields).not.toHaveProperty('awsec2_instance_id')
  const seen = JSON.stringify([
    ...[await contractor.foundations.get('web'), (await contractor.jobs.list({})).items, rig.lines],
  ])
  expect(seen).not.toContain(ec2.secretAccessKey)
  expect(seen).not.toContain('geheim-boot')
})
