import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { gce } from '../src/gce.ts'
import { createHandlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { vmSpec } from '../src/vm-spec.ts'
import { type FakeCompute, startCompute } from './fake-compute.ts'
import { createProject } from './fake-project.ts'

const handlers = createHandlers({ everyMs: 1 })
const zone = 'europe-west3-a'

describe('Compute Engine', () => {
  let compute: FakeCompute
  beforeAll(async () => {
    compute = await startCompute()
  })
  afterAll(() => compute.stop())
  beforeEach(() => {
    Object.assign(compute.project, createProject())
    for (const list of [compute.told, compute.bodies, compute.faults]) list.length = 0
    compute.tokens.clear()
    compute.clockMs = 0
  })
  const login = () => ({ endpoint: compute.url, fingerprint: compute.fingerprint, key: compute.key as string | null })
  type Reply = Record<string, unknown>
  const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
    handlers.run(
      task,
      { ...login(), project: 'web-1234', zone, name: 'web', locator: 'web', id: null, callId: null, ...more },
      createHandlerContext({ signal }),
    ) as Promise<Reply>
  const nics = [{ name: 'eth0', network: null, subnetwork: null, address: null }]
  const create = (spec: object = {}, more: object = {}) =>
    run('create', {
      ...{ spec: vmSpec.parse({ image_family: 'debian-cloud/debian-12', ...spec }), nics, callId: 'call-1', ...more },
    })
  const only = () => {
    const [one, ...others] = compute.project.machines
    if (!one || others.length) throw new Error(`There are ${compute.project.machines.length} machines`)
    return one
  }
  const inserts = () => compute.told.filter(one => /^POST \S+\/instances\?/.test(one)).length

  it('makes a machine as it is to be, looks at it, changes its power, and deletes it', async () => {
    const spec = {
      ...{ machine_type: 'e2-small', disk_size: 20, subnetwork: 'lab-sub', external_address: '203.0.113.77' },
      ...{
        service_account: 'default',
        metadata_map: { b: '2', a: '1' },
        tag_list: ['http'],
        label_map: { team: 'a' },
        spot: true,
      },
    }
    const list = [
      { name: 'eth0', network: null, subnetwork: 'lab-sub', address: '10.0.0.9' },
      { name: 'eth1', network: 'other-project/lab', subnetwork: null, address: null },
    ]
    expect(await create(spec, { nics: list })).toEqual({
      ...{ id: only().id, addresses: { eth0: '203.0.113.77', eth1: '10.156.0.3' } },
    })
    const place = 'projects/web-1234'
    expect(only().body).toMatchObject({
      machineType: `${place}/zones/${zone}/machineTypes/e2-small`,
      labels: { team: 'a', 'contractor-foundation': 'web', 'contractor-call': 'call-1' },
      disks: [{ boot: true, autoDelete: true, initializeParams: { diskSizeGb: '20' } }],
      networkInterfaces: [
        { subnetwork: `${place}/regions/europe-west3/subnetworks/lab-sub`, networkIP: '10.0.0.9' },
        { network: 'projects/other-project/global/networks/lab' },
      ],
      metadata: {
        items: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      },
      scheduling: { provisioningModel: 'SPOT' },
    })
    expect(await run('state')).toMatchObject({
      exists: true,
      status: 'RUNNING',
      machine_type: 'e2-small',
      call: 'call-1',
    })
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
    await vi.waitFor(async () => expect(await run('power_state')).toEqual({ state: 'off' }))
    expect(await run('destroy')).toEqual({ destroyed: true })
    expect(compute.project.machines).toEqual([])
    expect(await run('destroy')).toEqual({ destroyed: false })
    expect(await run('state')).toMatchObject({ exists: false, id: null })
    await expect(run('power_state')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('makes one machine for one call, goes on with what an attempt has left, and leaves others alone', async () => {
    compute.faults.push({ on: /^POST \S+instances\?/, does: 'cut' })
    await expect(create()).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
    compute.project.looks = Number.POSITIVE_INFINITY
    const abort = new AbortController()
    const asked = { spec: vmSpec.parse({ image: 'web-7' }), nics, callId: 'call-1' }
    const lost = expect(run('create', asked, abort.signal)).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(compute.project.machines).toHaveLength(1))
    abort.abort(new Error('claim lost'))
    await lost
    Object.assign(only(), { status: 'STAGING', next: 'RUNNING', looks: 1 })
    expect(await run('create', asked)).toMatchObject({ id: only().id })
    expect(inserts()).toBe(1)
    await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({
      ...{
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining("has machine 'web' already, which this call has not made"),
      },
    })
    // Taken back is what the call itself has made.
    expect(await run('destroy', { callId: 'call-2' })).toEqual({ destroyed: false })
    only().labels = {}
    await expect(create()).rejects.toThrow("machine 'web' was not made by Contractor for this Foundation")
    await expect(run('destroy')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(run('set_power', { action: 'soft' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await run('state')).toMatchObject({ exists: false })
    // Taken in by its id, it is worked on, and not deleted.
    expect(await run('power_state', { id: only().id })).toEqual({ state: 'on' })
    await expect(run('destroy', { id: only().id })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(only().status).toBe('RUNNING')
  })

  it('takes back what a call has made, also where its answer was lost', async () => {
    await create()
    expect(await run('destroy', { callId: 'call-1' })).toEqual({ destroyed: true })
    expect(compute.project.machines).toEqual([])
  })

  it('says of what is not there what it is', async () => {
    for (const [spec, kind] of [
      [{ image_family: 'debian-cloud/nothing' }, 'images'],
      [{ machine_type: 'z9-huge' }, 'machineTypes'],
    ] as const)
      await expect(create(spec)).rejects.toMatchObject({ code: 'NOT_FOUND', data: { kind } })
    const other = [{ name: 'eth0', network: 'nowhere', subnetwork: null, address: null }]
    await expect(create({}, { nics: other })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { kind: 'networks' } })
    expect(compute.project.machines).toEqual([])
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'failure-in-a-200'() {
      compute.project.failures.push({
        code: 'QUOTA_EXCEEDED',
        message: "Quota 'CPUS' exceeded. Limit: 8.0",
        status: 403,
      })
      await expect(create()).rejects.toMatchObject({
        ...{
          code: 'DEVICE_FULL',
          retryable: false,
          message: expect.stringContaining("Quota 'CPUS' exceeded. Limit: 8.0"),
        },
      })
      compute.project.failures.push({ code: 'PERMISSIONS_ERROR', message: 'Required permission missing', status: 403 })
      await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
    },
    async 'zone-is-exhausted'() {
      const message = `The zone 'projects/web-1234/zones/${zone}' does not have enough resources available.`
      compute.project.failures.push({ code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message, status: 503 })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
      expect(inserts()).toBe(1)
      await create({}, { callId: 'call-2' })
      only().status = 'TERMINATED'
      compute.project.failures.push({ code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message, status: 503 })
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
    },
    async 'limits-as-403'() {
      const on = /^POST \S+instances\?/
      const refuse = (reason: string, headers?: Record<string, string>) =>
        compute.faults.push({ on, does: 'refuse', status: 403, reason, message: reason, ...(headers && { headers }) })
      refuse('rateLimitExceeded', { 'Retry-After': '30' })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryAfterMs: 30_000 })
      refuse('quotaExceeded')
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
      refuse('forbidden')
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
    },
    async 'same-id-same-failure'() {
      compute.project.failures.push({ code: 'INTERNAL_ERROR', message: 'Internal error', status: 500 })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(await create()).toMatchObject({ id: only().id })
      const ids = compute.told.flatMap(one => /requestId=(\S+)/.exec(one)?.[1] ?? [])
      expect(ids).toEqual([ids[0], ids[0], expect.not.stringMatching(ids[0] ?? '')])
    },
    async 'made-is-not-running'() {
      compute.project.becomes = 'TERMINATED'
      await expect(create()).rejects.toMatchObject({
        ...{
          code: 'DEVICE_REFUSED',
          message: expect.stringContaining("machine 'web' is TERMINATED instead of running"),
        },
      })
      expect(compute.project.machines).toEqual([])
      // One that has failed, and is there for a while, is deleted.
      compute.project.quirks.add('made-is-not-running')
      compute.project.failures.push({ code: 'QUOTA_EXCEEDED', message: 'no', status: 403 })
      await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({ code: 'DEVICE_FULL' })
      expect(compute.project.machines).toEqual([])
    },
    async 'operation-forgotten'() {
      compute.project.quirks.add('operation-forgotten')
      expect(await create()).toMatchObject({ id: only().id })
      expect(await run('destroy')).toEqual({ destroyed: true })
    },
    async 'terminated-is-off'() {
      await create()
      only().status = 'TERMINATED'
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(await run('state')).toMatchObject({ exists: true, status: 'TERMINATED' })
    },
    async 'suspended-is-resumed'() {
      await create()
      only().status = 'SUSPENDED'
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
      expect(compute.told).toContainEqual(expect.stringMatching(/\/web\/resume$/))
      await vi.waitFor(async () => expect(await run('power_state')).toEqual({ state: 'on' }))
    },
    async 'refused-on-the-way'() {
      await create()
      Object.assign(only(), { status: 'STOPPING', next: 'TERMINATED', looks: 5 })
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(tasks.set_power.retry?.attempts).toBeGreaterThan(5)
    },
    async 'stop-has-no-id'() {
      await create()
      for (const _ of [1, 2]) {
        only().status = 'RUNNING'
        only().next = undefined
        await run('set_power', { action: 'off' })
        expect(only().status).toBe('STOPPING')
      }
      expect(compute.told.filter(one => /\/stop$/.test(one))).toHaveLength(2)
    },
    async 'no-macs'() {
      await create()
      await expect(run('interfaces', { locations: ['eth0'] })).rejects.toMatchObject({
        ...{ code: 'DEVICE_UNSUPPORTED', message: expect.stringContaining('it does not show the MACs') },
      })
    },
    async 'labels-have-no-dots'() {
      const locator = 'Web.1_'.padEnd(80, 'x')
      await create({}, { locator })
      expect(only().labels['contractor-foundation']).toMatch(/^[0-9a-f]{40}$/)
      expect(await run('state')).toMatchObject({ exists: false })
      expect(await run('destroy', { locator })).toEqual({ destroyed: true })
    },
    async 'addresses-change'() {
      const { addresses } = await create()
      expect(addresses).toEqual({ eth0: '203.0.113.1' })
      Object.assign(only(), { status: 'TERMINATED' })
      expect(await run('addresses', { names: ['eth0'] })).toEqual({ addresses: { eth0: '10.156.0.2' } })
      await run('set_power', { action: 'on' })
      expect(await run('addresses', { names: ['lan'] })).toEqual({ addresses: { lan: '203.0.113.2' } })
    },
    async 'token-over'() {
      const before = compute.given
      compute.project.looks = 50
      const made = create()
      await vi.waitFor(() => expect(compute.told.length).toBeGreaterThan(5))
      compute.tokens.clear()
      expect(await made).toMatchObject({ id: only().id })
      expect(compute.given - before).toBe(2)
    },
    async 'api-is-off'() {
      const message = 'Compute Engine API has not been used in project 1234 before or it is disabled.'
      compute.faults.push({ on: /instances/, does: 'refuse', status: 403, reason: 'accessNotConfigured', message })
      await expect(run('state')).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('Enable the Compute Engine API') },
      })
    },
    async 'clock-is-in-the-token'() {
      compute.clockMs = 7_200_000
      await expect(run('state')).rejects.toMatchObject({
        ...{
          code: 'DEVICE_UNAUTHENTICATED',
          message: expect.stringContaining('the clock of the agent’s machine is wrong'),
        },
      })
    },
    async 'empty-zones'() {
      await create({}, { zone: 'europe-west3-b' })
      await create({}, { name: 'two', callId: 'call-2' })
      const reply = (await handlers.run('list', { ...login(), project: null }, createHandlerContext())) as never
      expect(gce.discover?.found(reply)).toMatchObject([
        { locator: 'two', fields: { gce_zone: zone, gce_project: 'web-1234', gce_instance_name: 'two' } },
        { locator: 'web', fields: { gce_zone: 'europe-west3-b' } },
      ])
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  const keyWith = (more: object) => JSON.stringify({ ...(JSON.parse(compute.key) as object), ...more })
  it.each([
    ['an account that there is not', () => ({ key: keyWith({ client_email: 'nobody@x' }) }), 'DEVICE_UNAUTHENTICATED'],
    ['a key that is rubbish', () => ({ key: keyWith({ private_key: 'geheim' }) }), 'DEVICE_UNAUTHENTICATED'],
    ['another certificate', () => ({ fingerprint: '0'.repeat(64) }), 'DEVICE_UNTRUSTED'],
    ['a certificate that nobody vouches for', () => ({ fingerprint: null }), 'DEVICE_UNTRUSTED'],
    ['a host that there is not', () => ({ endpoint: 'https://nobody.invalid' }), 'DEVICE_UNREACHABLE'],
    ['another project', () => ({ project: 'other-1234' }), 'NOT_FOUND'],
    ['a zone that there is not', () => ({ zone: 'mars-north1-a' }), 'DEVICE_REFUSED'],
  ])('says what is wrong with %s', async (_, more, code) => {
    await expect(run('set_power', { action: 'on', ...more() })).rejects.toMatchObject({
      ...{ code, message: expect.not.stringMatching(/geheim|PRIVATE KEY/) },
    })
  })

  it('uses what the metadata server of the agent’s machine gives, and says where there is none', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      const isProject = request.url === '/computeMetadata/v1/project/project-id'
      if (request.headers['metadata-flavor'] !== 'Google') return void response.writeHead(403).end()
      response.writeHead(200, { 'Metadata-Flavor': 'Google' })
      response.end(isProject ? 'web-1234' : JSON.stringify({ access_token: 'token-m', token_type: 'Bearer' }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      vi.unstubAllEnvs()
      server.closeAllConnections()
      server.close()
    })
    vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`)
    compute.tokens.add('token-m')
    const own = { ...login(), key: null, project: null }
    expect(await handlers.run('list', own, createHandlerContext())).toEqual({ project: 'web-1234', machines: [] })
    expect(asked).toEqual([
      ...['/computeMetadata/v1/project/project-id', '/computeMetadata/v1/instance/service-accounts/default/token'],
    ])
    vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${await freePort()}`)
    await expect(run('state', { key: null })).rejects.toMatchObject({
      ...{
        code: 'DEVICE_UNAUTHENTICATED',
        message: expect.stringContaining('give the Foundation a gce_service_account_key'),
      },
    })
  })

  it.each([
    [{ does: 'cut' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'rubbish' }, 'DEVICE_ANSWER_INVALID', true],
    [{ does: 'refuse', status: 503, reason: 'backendError', message: 'later' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 429, reason: 'rateLimitExceeded', message: 'later' }, 'DEVICE_BUSY', true],
    [{ does: 'refuse', status: 401, reason: 'authError', message: 'no' }, 'DEVICE_UNAUTHENTICATED', false],
    [{ does: 'refuse', status: 400, reason: 'invalid', message: 'no' }, 'DEVICE_REFUSED', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    compute.faults.push({ ...fault, on: /instances/ })
    await expect(run('state')).rejects.toMatchObject({ code, retryable })
  })

  it('tells what is no HTTPS from a port where nobody is, and leaves one that is silent when it is aborted', async () => {
    const plain = createTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    const { port } = plain.address() as AddressInfo
    await expect(run('state', { endpoint: `https://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'DEVICE_ANSWER_INVALID',
    })
    await expect(run('state', { endpoint: `https://127.0.0.1:${await freePort()}` })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
    })
    compute.faults.push({ on: /instances/, does: 'silent' })
    const abort = new AbortController()
    const refused = expect(run('state', {}, abort.signal)).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(compute.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })
})
