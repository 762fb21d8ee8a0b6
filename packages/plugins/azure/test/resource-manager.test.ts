import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { azure } from '../src/azure.ts'
import { createHandlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { vmSpec } from '../src/vm-spec.ts'
import { type FakeAzure, startAzure, subscriptionId } from './fake-azure.ts'
import { createGroup } from './fake-group.ts'

const handlers = createHandlers({ everyMs: 1 })
const image = { publisher: 'canonical', offer: 'ubuntu', sku: 'server', version: 'latest' }
const login = { azure_admin_username: 'ops', azure_admin_password: 'Geheim-123456' }

describe('Azure’s Resource Manager', () => {
  let cloud: FakeAzure
  beforeAll(async () => {
    cloud = await startAzure()
  })
  afterAll(() => cloud.stop())
  beforeEach(() => {
    Object.assign(cloud.group, createGroup(cloud.url))
    for (const list of [cloud.told, cloud.faults]) list.length = 0
    cloud.tokens.clear()
  })
  const connection = () => ({
    ...{
      subscription_id: subscriptionId,
      tenant_id: cloud.tenantId,
      client_id: cloud.clientId,
      password: cloud.password,
    },
    ...{ location: 'germanywestcentral', resource_group: 'lab', fingerprint: cloud.fingerprint },
    ...{ login_endpoint: cloud.url, management_endpoint: cloud.url },
  })
  type Reply = Record<string, unknown>
  const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
    handlers.run(
      task,
      { ...connection(), name: 'web', locator: 'web', is_named: false, callId: null, ...more },
      createHandlerContext({ signal }),
    ) as Promise<Reply>
  const nics = [{ name: 'eth0', location: 'slot 1', network: 'lab-net', addresses: [] as string[] }]
  const create = (spec: object = {}, more: object = {}) =>
    run('create', { spec: vmSpec.parse({ azure_image: image, ...login, ...spec }), nics, callId: 'call-1', ...more })
  const names = () => cloud.group.resources.map(one => one.name)
  const machine = () => {
    const found = cloud.group.resources.find(one => one.kind.endsWith('virtualMachines'))
    if (!found) throw new Error('There is no machine')
    return found
  }
  const countOf = (line: RegExp) => cloud.told.filter(one => line.test(one)).length
  const put = /^PUT Microsoft.Compute/

  it('makes a machine as it is to be, looks at it, changes its power, and deletes it with its parts', async () => {
    const spec = {
      ...{ azure_size: 'Standard_B2s', azure_disk_size: '64', azure_disk_type: 'Premium_LRS', azure_zone: '2' },
      ...{
        azure_ssh_public_key: 'ssh-ed25519 AAAA ops',
        azure_custom_data: '#cloud-config',
        azure_tag_map: { team: 'a' },
      },
      azure_security_group: 'web-only',
    }
    const list = [
      { name: 'eth0', location: 'slot 1', network: 'lab-net', addresses: ['10.0.0.9', 'fd00::9'] },
      { name: 'eth1', location: 'slot 2', network: 'back', addresses: [] },
    ]
    expect(await create(spec, { nics: list, name: 'web_1' })).toEqual({
      ...{ name: 'web_1', interface_map: { 'slot 1': '00:0d:3a:00:00:01', 'slot 2': '00:0d:3a:00:00:02' } },
    })
    expect(names()).toEqual(['web_1-eth0', 'web_1-eth1', 'web_1', 'web_1-os'])
    for (const one of cloud.group.resources)
      expect(one.tags).toMatchObject({ 'contractor.foundation': 'web', 'contractor.call': 'call-1' })
    expect(machine()).toMatchObject({
      ...{ location: 'germanywestcentral', tags: { team: 'a' } },
      properties: {
        hardwareProfile: { vmSize: 'Standard_B2s' },
        storageProfile: {
          imageReference: image,
          osDisk: { diskSizeGB: 64, managedDisk: { storageAccountType: 'Premium_LRS' } },
        },
        osProfile: {
          ...{
            computerName: 'web-1',
            adminUsername: 'ops',
            customData: Buffer.from('#cloud-config').toString('base64'),
          },
          linuxConfiguration: { disablePasswordAuthentication: false },
        },
      },
    })
    expect(cloud.group.resources[0]?.properties).toMatchObject({
      ipConfigurations: [
        { properties: { privateIPAddress: '10.0.0.9', privateIPAllocationMethod: 'Static', primary: true } },
        { properties: { privateIPAddress: 'fd00::9', privateIPAddressVersion: 'IPv6', primary: false } },
      ],
    })
    const own = { name: 'web_1' }
    expect(await run('state', own)).toEqual({
      ...{ name: 'web_1', power: 'running', provisioning: 'Succeeded', size: 'Standard_B2s', call: 'call-1' },
    })
    expect(await run('interfaces', { ...own, locations: ['a'] })).toEqual({ interface_map: { a: '00:0d:3a:00:00:01' } })
    await expect(run('interfaces', { ...own, locations: ['a', 'b', 'c'] })).rejects.toThrow('has 2 interfaces')
    expect(await run('set_power', { ...own, action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(await run('set_power', { ...own, action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('set_power', { ...own, action: 'soft' })).toEqual({ state: 'on', sent: true })
    expect(await run('power_state', own)).toEqual({ state: 'off' })
    expect(await run('set_power', { ...own, action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(await run('set_power', { ...own, action: 'on' })).toEqual({ state: 'off', sent: true })
    cloud.told.length = 0
    await run('set_power', { ...own, action: 'off' })
    expect(cloud.told.filter(one => one.startsWith('POST')).map(one => one.split('/').at(-1))).toEqual([
      ...['powerOff?skipShutdown', 'deallocate'],
    ])
    expect(await run('destroy', own)).toEqual({ destroyed: true })
    expect(names()).toEqual([])
    expect(await run('destroy', own)).toEqual({ destroyed: false })
    expect(await run('state', own)).toMatchObject({ name: null })
    await expect(run('power_state', own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('makes one machine for one call, goes on with what an attempt has left, and leaves others alone', async () => {
    cloud.faults.push({ on: /^PUT \S+virtualMachines/, does: 'cut' })
    await expect(create()).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
    expect(names()).toEqual(['web-eth0'])
    cloud.group.looks = Number.POSITIVE_INFINITY
    const abort = new AbortController()
    const asked = { spec: vmSpec.parse({ azure_image: image, ...login }), nics, callId: 'call-1' }
    const lost = expect(run('create', asked, abort.signal)).rejects.toThrow('claim lost')
    // The interface first, whose operation is not over yet.
    await vi.waitFor(() => expect(cloud.group.operations).toHaveLength(2))
    for (const one of cloud.group.operations) one.looks = 0
    await vi.waitFor(() => expect(countOf(put)).toBe(1))
    abort.abort(new Error('claim lost'))
    await lost
    Object.assign(cloud.group, { looks: 0 })
    cloud.group.operations.at(-1)?.end(false)
    expect(await run('create', asked)).toMatchObject({ name: 'web' })
    expect(countOf(put)).toBe(1)
    await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({
      ...{
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining("has machine 'web' already, which this call has not made"),
      },
    })
    // Taken back is what the call itself has made.
    expect(await run('destroy', { callId: 'call-2' })).toEqual({ destroyed: false })
    machine().tags = {}
    await expect(create()).rejects.toThrow("machine 'web' was not made by Contractor for this Foundation")
    await expect(run('destroy')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(run('set_power', { action: 'soft' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // Taken in by its name, it is worked on, and not deleted.
    expect(await run('power_state', { is_named: true })).toEqual({ state: 'on' })
    await expect(run('destroy', { is_named: true })).rejects.toThrow('to have it deleted')
    machine().tags = { 'contractor.foundation': 'other' }
    await expect(run('power_state', { is_named: true })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(machine().power).toBe('running')
  })

  it('takes back what a call has made, half or whole', async () => {
    await create()
    expect(await run('destroy', { callId: 'call-1' })).toEqual({ destroyed: true })
    cloud.faults.push({ on: /^PUT \S+virtualMachines/, does: 'cut' })
    await expect(create({}, { callId: 'call-2' })).rejects.toThrow()
    expect(await run('destroy', { callId: 'call-2' })).toEqual({ destroyed: true })
    expect(names()).toEqual([])
  })

  it('leaves an interface alone that another has under its name', async () => {
    cloud.group.resources.push({
      ...{ kind: 'Microsoft.Network/networkInterfaces', name: 'web-eth0', tags: {}, location: 'x', properties: {} },
      ...{ power: '', hidden: 0 },
    })
    await expect(create()).rejects.toMatchObject({
      ...{
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining("interface 'web-eth0' was not made by Contractor"),
      },
    })
    expect(names()).toEqual(['web-eth0'])
  })

  it('says of what is not there what it is, and leaves nothing behind', async () => {
    const elsewhere = [{ name: 'eth0', location: null, network: 'nowhere', addresses: [] }]
    await expect(create({}, { nics: elsewhere })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      data: { kind: 'subnets' },
    })
    const nothing = { azure_image: { ...image, offer: 'nothing' } }
    await expect(create(nothing)).rejects.toMatchObject({ code: 'NOT_FOUND', data: { kind: 'image' } })
    await expect(create({}, { resource_group: 'other' })).rejects.toMatchObject({ data: { kind: 'ResourceGroup' } })
    await expect(create({ azure_size: 'Standard_Z9' })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
    expect(names()).toEqual([])
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'failure-in-a-200'() {
      cloud.group.failures.push({ code: 'VMExtensionProvisioningError', message: 'It did not come up.' })
      await expect(create()).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('It did not come up.') },
      })
      const inner = { code: 'Conflict', message: 'no', details: [{ code: 'AllocationFailed', message: 'No room.' }] }
      cloud.group.failures.push(inner)
      await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({ code: 'DEVICE_FULL' })
    },
    async 'pace-of-operations'() {
      await create()
      Object.assign(cloud.group, { looks: 1, retryAfter: '1' })
      const begun = performance.now()
      await run('set_power', { action: 'reset' })
      expect(performance.now() - begun).toBeGreaterThan(990)
    },
    async 'location-without-status'() {
      await create()
      const before = cloud.group.operations.length
      await run('destroy')
      const plain = cloud.group.operations.slice(before).filter(one => one.isPlain)
      expect(plain).toHaveLength(1)
      expect(plain[0]?.looks).toBeLessThan(0)
    },
    async 'goes-on-elsewhere'() {
      cloud.group.quirks.add('goes-on-elsewhere')
      await expect(create()).rejects.toMatchObject({
        ...{
          code: expect.any(String),
          message: expect.stringContaining('https://elsewhere.invalid, which is somebody else'),
        },
      })
    },
    async 'put-changes-what-is-there'() {
      cloud.faults.push({
        on: /^GET \S+virtualMachines\/web/,
        does: 'refuse',
        status: 404,
        code: 'ResourceNotFound',
        message: 'not seen',
      })
      await create({}, { callId: 'other', nics: [{ ...nics[0], name: 'eth9' }] })
      const { hidden: _, ...before } = machine()
      cloud.faults.push({
        on: /^GET \S+virtualMachines\/web/,
        does: 'refuse',
        status: 404,
        code: 'ResourceNotFound',
        message: 'not seen',
      })
      await expect(create()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      expect(machine()).toMatchObject(before)
      expect(names()).toEqual(['web-eth9', 'web', 'web-os'])
    },
    async 'failed-machine-stays'() {
      cloud.group.failures.push({ code: 'OverconstrainedAllocationRequest', message: 'no' })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL' })
      expect(names()).toEqual([])
      // One that passes is left for the next attempt, which begins anew.
      cloud.group.failures.push({ code: 'InternalExecutionError', message: 'An internal execution error occurred.' })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(machine().properties.provisioningState).toBe('Failed')
      expect(await create()).toMatchObject({ name: 'web' })
      expect(names()).toEqual(['web-eth0', 'web', 'web-os'])
    },
    async 'interface-is-reserved'() {
      const message = 'Nic(s) in request is reserved for another Virtual Machine for 180 seconds.'
      const fault = { does: 'refuse', status: 400, code: 'NicReservedForAnotherVm', message } as const
      cloud.faults.push({ ...fault, on: /^PUT \S+virtualMachines/ })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryAfterMs: 180_000 })
      expect(tasks.create.retry?.attempts).toBeGreaterThan(1)
    },
    async 'parts-stay'() {
      await create()
      expect(cloud.group.resources.find(one => one.name === 'web-os')?.tags).toMatchObject({
        'contractor.call': 'call-1',
      })
      // The machine is gone, and its disk was forgotten: it is found by its tags.
      cloud.faults.push({ on: /^DELETE \S+disks/, does: 'cut' })
      await expect(run('destroy')).rejects.toMatchObject({ retryable: true })
      expect(names()).toEqual(['web-os'])
      expect(await run('destroy')).toEqual({ destroyed: true })
      expect(names()).toEqual([])
    },
    async 'stopped-is-paid-for'() {
      await create()
      machine().power = 'stopped'
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'unknown', sent: true })
      expect(machine().power).toBe('deallocated')
    },
    async 'power-is-not-told'() {
      await create()
      cloud.group.quirks.add('power-is-not-told')
      expect(await run('power_state')).toEqual({ state: 'unknown' })
    },
    async 'mac-comes-late'() {
      cloud.group.quirks.add('mac-comes-late')
      expect(await create()).toMatchObject({ interface_map: { 'slot 1': '00:0d:3a:00:00:01' } })
      cloud.group.quirks.add('mac-comes-late')
      await expect(run('interfaces', { locations: ['a'] })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
    },
    async 'quota-is-not-allowed'() {
      const message = 'Operation could not be completed as it results in exceeding approved Total Regional Cores quota.'
      cloud.faults.push({
        on: /^PUT \S+virtualMachines/,
        does: 'refuse',
        status: 409,
        code: 'OperationNotAllowed',
        message,
      })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
      expect(names()).toEqual([])
    },
    async 'no-capacity'() {
      const failure = { code: 'AllocationFailed', message: 'Allocation failed. We do not have sufficient capacity.' }
      cloud.group.failures.push(failure)
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
      expect(countOf(put)).toBe(1)
      await create({}, { callId: 'call-2' })
      await run('set_power', { action: 'soft' })
      cloud.group.failures.push(failure)
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
    },
    async throttled() {
      const fault = { does: 'refuse', status: 429, code: 'TooManyRequests', message: 'Slow down.' } as const
      cloud.faults.push({ ...fault, headers: { 'Retry-After': '17' }, on: /virtualMachines/ })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryAfterMs: 17_000 })
      cloud.faults.push({ ...fault, on: /operations/ })
      expect(await create()).toMatchObject({ name: 'web' })
    },
    async 'busy-with-another'() {
      await create()
      const fault = {
        does: 'refuse',
        status: 409,
        code: 'AnotherOperationInProgress',
        message: 'Another one is on.',
      } as const
      cloud.faults.push({ ...fault, on: /deallocate/ })
      await expect(run('set_power', { action: 'soft' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(tasks.set_power.retry?.attempts).toBeGreaterThan(5)
    },
    async 'token-over'() {
      const before = cloud.given
      cloud.group.looks = 30
      const made = create()
      await vi.waitFor(() => expect(cloud.told.length).toBeGreaterThan(5))
      cloud.tokens.clear()
      expect(await made).toMatchObject({ name: 'web' })
      expect(cloud.given - before).toBe(2)
    },
    async 'seen-late'() {
      cloud.group.quirks.add('seen-late')
      expect(await create()).toMatchObject({ name: 'web' })
      expect(machine().hidden).toBeLessThan(0)
    },
    async 'provider-not-registered'() {
      const message = "The subscription is not registered to use namespace 'Microsoft.Compute'."
      cloud.faults.push({
        on: /virtualMachines/,
        does: 'refuse',
        status: 409,
        code: 'MissingSubscriptionRegistration',
        message,
      })
      await expect(run('state')).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('To do: register the resource provider') },
      })
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it('lists what is there and could be taken in, page by page', async () => {
    for (const name of ['a', 'b', 'c']) await create({}, { name, locator: name, callId: name })
    const reply = await run('list')
    expect(azure.discover?.found(reply)).toMatchObject(
      ['a', 'b', 'c'].map(name => ({
        locator: name,
        fields: { azure_resource_name: name },
        details: { provisioning: 'Succeeded' },
      })),
    )
  })

  it.each([
    ['a wrong secret', () => ({ password: 'falsch-8Q' }), 'DEVICE_UNAUTHENTICATED', 'AADSTS7000215'],
    ['another application', () => ({ client_id: subscriptionId }), 'DEVICE_UNAUTHENTICATED', 'AADSTS700016'],
    ['another tenant', () => ({ tenant_id: subscriptionId }), 'DEVICE_UNAUTHENTICATED', 'AADSTS90002'],
    ['another certificate', () => ({ fingerprint: '0'.repeat(64) }), 'DEVICE_UNTRUSTED', 'not the one that was pinned'],
    ['a certificate that nobody vouches for', () => ({ fingerprint: null }), 'DEVICE_UNTRUSTED', 'pin it'],
    [
      'a host that there is not',
      () => ({ login_endpoint: 'https://nobody.invalid' }),
      'DEVICE_UNREACHABLE',
      'nothing answers',
    ],
    ['another subscription', () => ({ subscription_id: cloud.tenantId }), 'NOT_FOUND', 'no machine'],
  ])('says what is wrong with %s', async (_, more, code, words) => {
    const refused = run('set_power', { action: 'on', ...more() }).catch((error: Error & { code: string }) => error)
    expect(await refused).toMatchObject({ code, message: expect.stringContaining(words) })
    expect(String(await refused)).not.toMatch(/Geheim|falsch|Trace/)
  })

  it.each([
    [{ does: 'cut' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'rubbish' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'refuse', status: 503, code: 'ServerTimeout', message: 'later' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 500, code: 'Weird', message: 'oops' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 403, code: 'AuthorizationFailed', message: 'no' }, 'DEVICE_REFUSED', false],
    [
      { does: 'refuse', status: 401, code: 'InvalidAuthenticationToken', message: 'no' },
      'DEVICE_UNAUTHENTICATED',
      false,
    ],
    [{ does: 'refuse', status: 400, code: 'OperationNotSupported', message: 'no' }, 'DEVICE_UNSUPPORTED', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    cloud.faults.push({ ...fault, on: /virtualMachines/ })
    await expect(run('state')).rejects.toMatchObject({ code, retryable })
  })

  it('tells what is no HTTPS from a port where nobody is, and leaves one that is silent when it is aborted', async () => {
    const plain = createTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    const { port } = plain.address() as AddressInfo
    const at = (there: number) => ({ login_endpoint: `https://127.0.0.1:${there}` })
    await expect(run('state', at(port))).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID' })
    await expect(run('state', at(await freePort()))).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    cloud.faults.push({ on: /virtualMachines/, does: 'silent' })
    const abort = new AbortController()
    const refused = expect(run('state', {}, abort.signal)).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(cloud.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })
})
