import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { aws } from '../src/aws.ts'
import { createHandlers } from '../src/handlers/index.ts'
import { instanceSpec } from '../src/instance-spec.ts'
import { quirks } from '../src/quirks.ts'
import { type InstanceState, tasks } from '../src/tasks.ts'
import { type FakeEc2, startEc2 } from './fake-ec2.ts'
import { createAccount, tagsOfPart } from './fake-instances.ts'

const handlers = createHandlers({ everyMs: 1 })
const image = 'ami-0123456789abcdef0'
const allocation = 'eipalloc-0123456789abcdef0'

describe('EC2', () => {
  let ec2: FakeEc2
  beforeAll(async () => {
    ec2 = await startEc2()
  })
  afterAll(() => ec2.stop())
  beforeEach(() => {
    Object.assign(ec2.account, createAccount())
    delete ec2.account.ends
    ec2.told.length = 0
    ec2.faults.length = 0
    ec2.sessionToken = undefined
    ec2.clockMs = 0
  })
  const login = () => ({
    ...{ region: ec2.region, endpoint: ec2.url, access_key_id: ec2.accessKeyId },
    ...{ secret_access_key: ec2.secretAccessKey, session_token: null },
  })
  type Reply = Record<string, unknown>
  const run = (task: string, more: object = {}, context: Parameters<typeof createHandlerContext>[0] = {}) =>
    handlers.run(
      task,
      { ...login(), name: 'web', id: null, callId: null, ...more },
      createHandlerContext(context),
    ) as Promise<Reply>
  const specWith = (spec: object = {}) => instanceSpec.parse({ image_id: image, type: 't3.micro', ...spec })
  const create = (spec: object = {}, more: object = {}) =>
    run('create', { spec: specWith(spec), callId: 'call-1', ...more })
  const only = () => {
    const [one, ...others] = ec2.account.instances
    if (!one || others.length) throw new Error(`There are ${ec2.account.instances.length} instances`)
    return one
  }
  const countOf = (action: string) => ec2.told.filter(one => one.action === action).length

  it('makes an instance as it is to be, looks at it, changes its power, and ends it', async () => {
    const made = await create({
      ...{ public_ip: true, subnet_id: 'subnet-0123456789abcdef0', security_group_list: ['sg-0123456789abcdef0'] },
      ...{ key_name: 'ops', user_data: '#!/bin/sh\n', iam_profile: 'web', tag_map: { team: 'a&b' } },
      volume_list: [{ device: '/dev/xvda', size: 20, iops: 3000, encrypted: true, delete_on_termination: false }],
    })
    const one = only()
    expect(made).toEqual({
      ...{ id: one.id, interface_list: [{ name: 'eth0', mac: one.mac }], ip_address_map: { eth0: '203.0.113.1' } },
    })
    expect(one.tags).toEqual({
      ...{ team: 'a&b', Name: 'web', 'contractor.foundation': 'web', 'contractor.call': 'call-1' },
    })
    expect(one.params).toMatchObject({
      'NetworkInterface.1.SecurityGroupId.1': 'sg-0123456789abcdef0',
      'NetworkInterface.1.AssociatePublicIpAddress': 'true',
      'IamInstanceProfile.Name': 'web',
      'BlockDeviceMapping.1.Ebs.VolumeSize': '20',
      'BlockDeviceMapping.1.Ebs.Iops': '3000',
      'BlockDeviceMapping.1.Ebs.Encrypted': 'true',
      'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'false',
      UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
    })
    expect(await run('state')).toMatchObject({ state: 'running', id: one.id, call: 'call-1', zone: 'eu-central-1a' })
    expect(await run('power_state', { id: one.id })).toEqual({ state: 'on' })
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'on', sent: true })
    expect(ec2.told.at(-1)).toEqual({ action: 'StopInstances', params: { 'InstanceId.1': one.id, Force: 'true' } })
    expect(await run('power_state')).toEqual({ state: 'unknown' })
    await vi.waitFor(async () => expect(await run('power_state')).toEqual({ state: 'off' }))
    expect(await run('interfaces', { locations: ['port 1'] })).toEqual({ map: { 'port 1': one.mac } })
    await expect(run('interfaces', { locations: ['a', 'b'] })).rejects.toThrow('has 1 interfaces, and its Foundation 2')
    expect(await run('destroy')).toEqual({ destroyed: true })
    expect(one.state).toBe('terminated')
    expect(await run('destroy')).toEqual({ destroyed: false })
    expect(await run('state', { id: one.id })).toMatchObject({ state: 'gone', id: null, interfaces: [] })
    await expect(run('power_state')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('takes what a launch template says', async () => {
    await create({ image_id: null, type: null, launch_template: 'web', launch_template_version: '3' })
    expect(only().params).toMatchObject({
      ...{ 'LaunchTemplate.LaunchTemplateName': 'web', 'LaunchTemplate.Version': '3' },
    })
    await run('destroy')
    await create({ launch_template: 'lt-0123456789abcdef0' }, { callId: 'call-2' })
    expect(ec2.account.instances.at(-1)?.params).toMatchObject({
      'LaunchTemplate.LaunchTemplateId': 'lt-0123456789abcdef0',
    })
    await expect(create({ launch_template: 'none' }, { name: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('makes one instance for one call, goes on with what an attempt has left, and leaves others alone', async () => {
    ec2.faults.push({ action: 'RunInstances', does: 'cut' })
    await expect(create()).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
    ec2.account.looks = Number.POSITIVE_INFINITY
    const abort = new AbortController()
    const lost = expect(
      run('create', { spec: specWith(), callId: 'call-1' }, { signal: abort.signal, log: () => undefined }),
    ).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(ec2.account.instances).toHaveLength(1))
    abort.abort(new Error('claim lost'))
    await lost
    only().looks = 0
    const again = await create()
    expect(again.id).toBe(only().id)
    await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({
      ...{ code: 'ALREADY_EXISTS', message: expect.stringContaining(`has instance ${again.id} already`) },
    })
    // Taken back is what the call itself has made.
    expect(await run('destroy', { callId: 'call-2' })).toEqual({ destroyed: false })
    only().tags = { Name: 'web' }
    await expect(create({}, { callId: 'call-2' })).rejects.toThrow("is named 'web', was not made by Contractor")
    expect(await run('destroy')).toEqual({ destroyed: false })
    await expect(run('destroy', { id: again.id })).rejects.toMatchObject({
      ...{ code: 'ALREADY_EXISTS', message: expect.stringContaining('was not made by Contractor, and is left alone') },
    })
    only().tags = { 'contractor.foundation': 'other' }
    await expect(run('set_power', { id: again.id, action: 'off' })).rejects.toThrow("is Foundation 'other'’s")
    expect(only().state).toBe('running')
    expect(countOf('TerminateInstances')).toBe(0)
  })

  it('takes back what a call has made, also where its answer was lost', async () => {
    await create()
    expect(await run('destroy', { callId: 'call-1' })).toEqual({ destroyed: true })
    expect(only().state).toBe('terminated')
  })

  it('lists what is there and could be taken in', async () => {
    await create()
    await create({}, { name: 'old', callId: 'call-2' })
    await run('destroy', { name: 'old' })
    const { region, instances } = (await handlers.run('list', login(), createHandlerContext())) as {
      region: string
      instances: object[]
    }
    expect({ region, instances }).toMatchObject({ region: ec2.region, instances: [{ name: 'web', state: 'running' }] })
    const seen = { ...(instances[0] as InstanceState), id: 'i-0123456789abcdef0' }
    const found = aws.discover?.found({
      region,
      instances: [
        { ...seen, name: 'web' },
        { ...seen, id: 'i-00000001', name: 'x' },
        { ...seen, id: 'i-00000002', name: 'x' },
      ],
    })
    expect(found?.map(one => one.locator)).toEqual(['web', 'i-00000001', 'i-00000002'])
    expect(found?.[0]?.fields).toEqual({ awsec2_instance_id: seen.id, awsec2_region: ec2.region })
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'not-found-after-create'() {
      ec2.account.quirks.add('not-found-after-create')
      expect(await create()).toMatchObject({ id: expect.stringMatching(/^i-/) })
      expect(only().hidden).toBeLessThan(0)
    },
    async 'tags-not-seen-yet'() {
      ec2.account.quirks.add('tags-not-seen-yet')
      ec2.faults.push({ action: 'DescribeInstances', does: 'refuse', status: 400, code: 'Fault', message: 'after it' })
      // The first look is refused for good: the instance is made in the attempt after it, and is not seen in the next.
      await expect(create()).rejects.toThrow('after it')
      const first = await create()
      only().untagged = 5
      expect(await create()).toEqual(first)
      expect(countOf('RunInstances')).toBe(2)
    },
    async 'token-with-other-parameters'() {
      await create()
      const { token } = only()
      only().untagged = 9
      await create({ type: 'm7i.large' })
      expect(ec2.account.instances.map(one => one.token === token)).toEqual([true, false])
    },
    async 'tags-are-its-own-alone'() {
      await create({ tag_map: { team: 'a' } })
      for (const part of ['volume', 'network-interface'] as const) expect(tagsOfPart(only(), part)).toEqual(only().tags)
    },
    async 'capacity-as-500'() {
      const message = 'We currently do not have sufficient t3.micro capacity in the Availability Zone you requested'
      ec2.faults.push({
        action: 'RunInstances',
        does: 'refuse',
        status: 500,
        code: 'InsufficientInstanceCapacity',
        message,
      })
      await expect(create()).rejects.toMatchObject({
        ...{ code: 'DEVICE_FULL', retryable: false, message: expect.stringContaining(message) },
      })
      expect(countOf('RunInstances')).toBe(1)
    },
    async 'quota-is-vcpus'() {
      const message = 'You have requested more vCPU capacity than your current vCPU limit of 32 allows'
      ec2.faults.push({ action: 'RunInstances', does: 'refuse', status: 400, code: 'VcpuLimitExceeded', message })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
    },
    async throttled() {
      const fault = {
        does: 'refuse',
        status: 503,
        code: 'RequestLimitExceeded',
        message: 'Request limit exceeded.',
      } as const
      ec2.faults.push({ ...fault, action: 'RunInstances', headers: { 'Retry-After': '30' } })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true, retryAfterMs: 30_000 })
      ec2.faults.push({ ...fault, action: 'RunInstances' })
      await expect(create()).rejects.toMatchObject({ retryAfterMs: 10_000 })
      expect(countOf('RunInstances')).toBe(2)
      // While it is waited for, only the look is made again.
      const made = create()
      await vi.waitFor(() => expect(countOf('RunInstances')).toBe(3))
      ec2.faults.push({ ...fault, action: 'DescribeInstances' })
      expect(await made).toMatchObject({ id: only().id })
    },
    async 'terminated-is-shown'() {
      const first = await create()
      await run('destroy')
      expect(only()).toMatchObject({ state: 'terminated', tags: { 'contractor.foundation': 'web' } })
      expect((await create({}, { callId: 'call-2', id: first.id })).id).not.toBe(first.id)
      expect(await run('state', { id: first.id })).toMatchObject({ state: 'running', call: 'call-2' })
    },
    async 'shutting-down-takes-time'() {
      await create()
      const looks = countOf('DescribeInstances')
      expect(await run('destroy')).toEqual({ destroyed: true })
      expect(only().state).toBe('terminated')
      expect(countOf('DescribeInstances') - looks).toBeGreaterThan(2)
    },
    async 'refused-on-the-way'() {
      await create()
      await run('set_power', { action: 'soft' })
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(tasks.set_power.retry?.attempts).toBeGreaterThan(5)
      await vi.waitFor(async () => expect(await run('power_state')).toEqual({ state: 'off' }))
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    },
    async 'ends-instead-of-running'() {
      ec2.account.ends = { code: 'Client.VolumeLimitExceeded', message: 'Volume limit exceeded' }
      await expect(create()).rejects.toMatchObject({
        ...{
          code: 'DEVICE_FULL',
          message: expect.stringContaining('has ended instead of running: Volume limit exceeded'),
        },
      })
      ec2.account.ends = { code: 'Client.InternalError', message: 'Client error on launch' }
      await expect(create({}, { callId: 'call-2' })).rejects.toThrow('Client error on launch')
    },
    async 'address-later'() {
      ec2.account.quirks.add('address-later')
      expect(await create({ elastic_ip: allocation })).toMatchObject({ ip_address_map: { eth0: '198.51.100.7' } })
    },
    async 'address-moves'() {
      await create({ elastic_ip: allocation })
      await expect(create({ elastic_ip: allocation }, { name: 'two', callId: 'call-2' })).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining(`is instance ${only().id}’s: it is left there`) },
      })
      // Taken at the last moment, after the instance was made: that is ended again.
      Object.assign(ec2.account.addresses, { 'eipalloc-00000000000000001': { ip: '198.51.100.9' } })
      const refusal = {
        does: 'refuse',
        status: 400,
        code: 'Resource.AlreadyAssociated',
        message: 'is associated',
      } as const
      ec2.faults.push({ ...refusal, action: 'AssociateAddress' })
      const other = { elastic_ip: 'eipalloc-00000000000000001' }
      await expect(create(other, { name: 'two', callId: 'call-2' })).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('is associated') },
      })
      expect(ec2.account.instances.map(one => one.state)).toEqual(['running', 'terminated'])
    },
    async 'encoded-refusal'() {
      const lines: string[] = []
      const message =
        'You are not authorized to perform this operation. Encoded authorization failure message: aGVsbG8gd29ybGQ'
      ec2.faults.push({ action: 'RunInstances', does: 'refuse', status: 403, code: 'UnauthorizedOperation', message })
      const asked = { spec: specWith(), callId: 'call-1' }
      await expect(run('create', asked, { log: line => void lines.push(line) })).rejects.toMatchObject({
        ...{
          code: 'DEVICE_REFUSED',
          message: expect.stringMatching(/not authorized(?!.*aGVsbG8).*let its user or role/),
        },
      })
      expect(lines).toEqual([expect.stringContaining('aGVsbG8gd29ybGQ')])
    },
    async 'clock-skew'() {
      ec2.clockMs = 3_600_000
      expect(await create()).toMatchObject({ id: only().id })
      const message = 'Request has expired.'
      ec2.faults.push({ does: 'refuse', status: 400, code: 'RequestExpired', message })
      ec2.clockMs = 0
      await expect(run('state')).rejects.toMatchObject({
        ...{
          code: 'DEVICE_UNAUTHENTICATED',
          message: expect.stringContaining('the clock of the agent’s machine is wrong'),
        },
      })
    },
    async 'image-of-elsewhere'() {
      for (const image_id of ['ami-00000000000000000', 'ubuntu'])
        await expect(create({ image_id })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { kind: 'image' } })
      const message = 'The image ID is not available.'
      ec2.faults.push({
        action: 'RunInstances',
        does: 'refuse',
        status: 400,
        code: 'InvalidAMIID.Unavailable',
        message,
      })
      await expect(create()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(message) })
      await expect(create({ subnet_id: 'subnet-00000000' })).rejects.toMatchObject({ data: { kind: 'subnet' } })
    },
    async 'empty-pages'() {
      await create()
      ec2.account.quirks.add('empty-pages')
      expect(await run('state')).toMatchObject({ state: 'running' })
    },
    async 'page-of-a-proxy'() {
      await create()
      ec2.faults.push({ does: 'page' })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
      expect(countOf('RunInstances')).toBe(1)
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it.each([
    ['a wrong secret key', { secret_access_key: 'falsch/0123456789' }, 'DEVICE_UNAUTHENTICATED', false],
    ['a key that there is not', { access_key_id: 'AKIAXXXXXXXX' + 'XXXXXXXX' }, 'DEVICE_UNAUTHENTICATED', false],
    ['half a key', { secret_access_key: null }, 'DEVICE_UNAUTHENTICATED', false],
    ['another region', { region: 'us-east-1' }, 'DEVICE_UNAUTHENTICATED', false],
    ['a host that there is not', { endpoint: 'http://nobody.invalid' }, 'DEVICE_UNREACHABLE', true],
  ])('says what is wrong with %s', async (_, more, code, retryable) => {
    await expect(run('state', more)).rejects.toMatchObject({
      ...{ code, retryable, message: expect.not.stringMatching(/geheim|falsch/) },
    })
  })

  it('takes temporary credentials, and says where there are none at all', async () => {
    ec2.sessionToken = 'token-1'
    await expect(run('state')).rejects.toMatchObject({ code: 'DEVICE_UNAUTHENTICATED' })
    expect(await run('state', { session_token: 'token-1' })).toMatchObject({ state: 'gone' })
    for (const [name, value] of Object.entries({
      ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' },
      ...{ AWS_REGION: '', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    }))
      vi.stubEnv(name, value || undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    const own = { access_key_id: null, secret_access_key: null }
    await expect(run('state', own)).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNAUTHENTICATED', message: expect.stringContaining('there are no credentials for it') },
    })
    await expect(run('state', { region: null })).rejects.toThrow('nobody says which region is meant: set awsec2_region')
    vi.stubEnv('AWS_ACCESS_KEY_ID', ec2.accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', ec2.secretAccessKey)
    vi.stubEnv('AWS_REGION', ec2.region)
    ec2.sessionToken = undefined
    expect(await run('state', { ...own, region: null })).toMatchObject({ state: 'gone' })
  })

  it.each([
    [{ does: 'cut' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'rubbish' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'page' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'refuse', status: 503, code: 'Unavailable', message: 'later' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 500, code: 'InternalError', message: 'oops' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 400, code: 'UnsupportedOperation', message: 'no' }, 'DEVICE_UNSUPPORTED', false],
    [{ does: 'refuse', status: 400, code: 'InvalidParameterValue', message: 'no' }, 'DEVICE_REFUSED', false],
    [{ does: 'refuse', status: 400, code: 'AddressLimitExceeded', message: 'no' }, 'DEVICE_FULL', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    ec2.faults.push(fault)
    await expect(run('state')).rejects.toMatchObject({ code, retryable })
  })

  it('tells a certificate that nobody vouches for and a port where nobody is, and leaves one that is silent', async () => {
    const pem = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
    const other = await startEc2({ cert: pem('cloud-cert.pem'), key: pem('cloud-key.pem') })
    onTestFinished(() => other.stop())
    await expect(run('state', { endpoint: other.url })).rejects.toMatchObject({ code: 'DEVICE_UNTRUSTED' })
    expect(other.told).toEqual([])
    const nowhere = `http://127.0.0.1:${await freePort()}`
    await expect(run('state', { endpoint: nowhere })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    ec2.faults.push({ does: 'silent' })
    const abort = new AbortController()
    const refused = expect(run('state', {}, { signal: abort.signal })).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(ec2.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })
})
