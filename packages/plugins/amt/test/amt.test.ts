import { join } from 'node:path'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { amt } from '../src/amt.ts'
import { connectionOf, fields } from '../src/connection.ts'
import { answerChallenge, parseChallenge } from '../src/handlers/digest.ts'
import { handlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { type FakeAmt, startAmt } from './fake-amt.ts'

const inventory = { manufacturer: 'ACME', model: 'NUC', serial: 'S-1', version: '16.1.25' }

describe('the laws of plugins', () => {
  const laws = pluginLaws(amt, handlers, {
    fields: { amt_ip_address: '10.0.0.7', amt_password: 'geheim' },
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      link_test: [{ good: true, last: '' }],
      read_inventory: [inventory],
    },
    abortable: {
      power_state: {
        ...{ host: 'nobody.invalid', port: 16992, tls: false, fingerprint: null, username: 'admin', password: 'x' },
      },
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is said to be', () => {
  const own = { amt_ip_address: '10.0.0.7', amt_password: 'geheim' }

  it('has the port of its protocol, unless another is said', () => {
    expect(connectionOf(fields.parse(own))).toMatchObject({ port: 16992, tls: false, username: 'admin' })
    expect(connectionOf(fields.parse({ ...own, amt_tls: true }))).toMatchObject({ port: 16993, tls: true })
    expect(connectionOf(fields.parse({ ...own, amt_port: 443 })).port).toBe(443)
  })

  it.each([
    [{ amt_ip_address: '-x' }],
    [{ amt_password: '' }],
    [{ amt_username: '-oProxyCommand' }],
    [{ amt_port: 0 }],
    [{ amt_fingerprint: 'ab' }],
  ])('%j is refused', given => {
    expect(fields.safeParse({ ...own, ...given }).success).toBe(false)
  })
})

describe('digest authentication', () => {
  // The example of RFC 7616, section 3.9.1.
  const example = { username: 'Mufasa', password: 'Circle of Life', method: 'GET', uri: '/dir/index.html', count: 1 }
  const clientNonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'
  const asks = (algorithm: string) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`

  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers as the specification does, by %s', (algorithm, response) => {
    const challenge = parseChallenge(asks(algorithm))
    if (!challenge) throw new Error('It was not read')
    const header = answerChallenge(challenge, { ...example, clientNonce })
    expect(header).toContain(`response="${response}"`)
    expect(header).toContain('nc=00000001')
    expect(header).toContain(`opaque="${challenge.opaque}"`)
    expect(header).not.toContain('Circle of Life')
  })

  it.each([
    [undefined],
    ['Basic realm="x"'],
    ['Digest nonce="x"'],
    ['Digest realm="x", nonce="y", qop="auth-int"'],
    [asks('MD5-sess')],
  ])('does not answer %s', header => {
    expect(parseChallenge(header)).toBeUndefined()
  })

  it('reads that a nonce is stale, in whatever form', () => {
    expect(parseChallenge('Digest realm="a\\"b", nonce="n",stale="true",qop="auth"')).toMatchObject({
      realm: 'a"b',
      isStale: true,
    })
    expect(parseChallenge('digest realm="a", nonce="n", stale=TRUE')).toMatchObject({ isStale: true })
    expect(parseChallenge('Digest realm="a", nonce="n", stale=false')).toMatchObject({ isStale: false })
  })
})

describe.each([{ tls: false }, { tls: true }])('a machine with AMT (TLS: $tls)', ({ tls }) => {
  let machine: FakeAmt
  beforeAll(async () => {
    machine = await startAmt({ tls })
  })
  afterAll(() => machine.stop())
  beforeEach(() => {
    machine.quirks.clear()
    machine.told.length = machine.faults.length = machine.returns.length = machine.authorizations.length = 0
    Object.assign(machine, { powerState: 8, challenges: 0 })
  })
  const login = () => ({
    ...{ host: '127.0.0.1', port: machine.port, tls, fingerprint: machine.fingerprint },
    ...{ username: machine.username, password: machine.password },
  })
  const run = (task: string, more: object = {}, context = {}) =>
    handlers.run(task, { ...login(), ...more }, createHandlerContext(context))

  it('reads and changes power, by one login for each Task', async () => {
    expect(await run('power_state')).toEqual({ state: 'off' })
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(machine.told).toEqual([])
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('power_state')).toEqual({ state: 'on' })
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'on', sent: true })
    expect(machine.told).toEqual([2, 10, 8])
    expect(machine.challenges).toBe(6)
    // A nonce counts what it is used for.
    expect(machine.authorizations.some(one => one.includes('nc=00000002'))).toBe(true)
    expect(machine.authorizations.join('\n')).not.toContain(machine.password)
  })

  it('tells what the machine is, and whether the way to it is good', async () => {
    expect(await run('read_inventory')).toEqual(inventory)
    expect(await run('link_test')).toEqual({ good: true, last: '' })
    expect(await run('link_test', { password: 'falsch' })).toEqual({
      good: false,
      last: expect.stringContaining("does not know 'admin'"),
    })
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'asleep-at-first'() {
      const port = await freePort()
      await expect(run('power_state', { port })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', retryable: true })
      await expect(run('link_test', { port }, { attempt: 1 })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
      expect(await run('link_test', { port }, { attempt: 4 })).toMatchObject({ good: false })
      expect(tasks.power_state.retry?.attempts).toBeGreaterThanOrEqual(6)
    },
    async 'nonce-goes-stale'() {
      machine.quirks.add('nonce-goes-stale')
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(machine.challenges).toBe(2)
      await expect(run('power_state', { password: 'falsch' })).rejects.toMatchObject({ code: 'DEVICE_UNAUTHENTICATED' })
      // A wrong password is tried once: too many lock the user out.
      expect(machine.challenges).toBe(4)
    },
    async 'closes-after-asking'() {
      machine.quirks.add('closes-after-asking')
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    },
    async 'sleep-is-neither'() {
      for (const state of [3, 4, 7]) {
        machine.powerState = state
        expect(await run('set_power', { action: 'off' })).toEqual({ state: 'unknown', sent: true })
        machine.powerState = state
        expect(await run('set_power', { action: 'on' })).toEqual({ state: 'unknown', sent: true })
      }
      expect(machine.told).toEqual([8, 2, 8, 2, 8, 2])
    },
    async 'off-in-several-words'() {
      for (const state of [6, 8, 12, 13]) {
        machine.powerState = state
        expect(await run('power_state')).toEqual({ state: 'off' })
      }
      machine.powerState = 1
      await expect(run('power_state')).rejects.toMatchObject({
        code: 'DEVICE_ANSWER_INVALID',
        message: expect.stringContaining("'1'"),
      })
    },
    async 'on-while-it-restarts'() {
      for (const state of [5, 9, 10]) {
        machine.powerState = state
        expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
      }
    },
    async 'reset-does-nothing'() {
      expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'off', sent: false })
      expect(machine.told).toEqual([])
    },
    async 'refuses-what-is-so'() {
      machine.returns.push(2)
      const sent = run('set_power', { action: 'on' })
      // Somebody was quicker.
      await vi.waitFor(() => expect(machine.told).toEqual([2]), { interval: 1 })
      machine.powerState = 2
      expect(await sent).toEqual({ state: 'off', sent: true })
      machine.powerState = 8
      machine.returns.push(4097)
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
    },
    async 'fails-behind-200'() {
      for (const [value, code, retryable] of [
        [1, 'DEVICE_UNSUPPORTED', false],
        [2, 'DEVICE_REFUSED', false],
        [3, 'DEVICE_TIMED_OUT', true],
        [6, 'DEVICE_BUSY', true],
        [4099, 'DEVICE_BUSY', true],
      ] as const) {
        machine.returns.push(value)
        await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({
          code,
          retryable,
          message: expect.stringContaining(`has failed with ${value}`),
        })
      }
      expect(machine.powerState).toBe(8)
    },
    async 'no-soft-shutdown'() {
      machine.powerState = 2
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      expect(machine.told).toEqual([8])
      const { power_off } = amt.functions
      const foundation = {
        locator: 'm',
        type: 'AMT',
        site: 'lab',
        state: 'built' as const,
        fields: fields.parse({ amt_ip_address: 'a', amt_password: 'x' }),
      }
      const state = power_off?.start({ hard: false }, { now: 0, callId: 'c', foundation, config: () => undefined })
      expect(power_off?.request?.(state)).toMatchObject({ params: { action: 'off' } })
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it.each([
    ['cut', 'DEVICE_ANSWER_INVALID', true],
    ['rubbish', 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: '<Envelope><Body><Other/></Body></Envelope>' }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: '<Envelope><Body>' }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 503, headers: { 'Retry-After': '7' } }, 'DEVICE_BUSY', true],
    [{ status: 404, body: 'no' }, 'DEVICE_REFUSED', false],
    [{ status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }, 'DEVICE_UNSUPPORTED', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    machine.faults.push(fault)
    await expect(run('power_state')).rejects.toMatchObject({
      ...{ code, retryable, ...(JSON.stringify(fault).includes('Retry-After') && { retryAfterMs: 7000 }) },
    })
  })

  it.each([
    ['AccessDenied', 'DEVICE_REFUSED'],
    ['DestinationUnreachable', 'DEVICE_UNSUPPORTED'],
    ['TimedOut', 'DEVICE_TIMED_OUT'],
    ['QuotaLimit', 'DEVICE_BUSY'],
  ])('the fault %s is %s, in its own words', async (subcode, code) => {
    const reason = `<Reason><Text>The words of ${subcode}.</Text></Reason>`
    const body = `<Envelope><Body><Fault><Code><Subcode><Value>e:${subcode}</Value></Subcode></Code>${reason}</Fault></Body></Envelope>`
    machine.faults.push({ status: 400, body })
    await expect(run('power_state')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${subcode}: The words of ${subcode}.`),
    })
  })

  it('says that its password is wrong, without the password', async () => {
    await expect(run('power_state', { password: 'falsch' })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNAUTHENTICATED', retryable: false, message: expect.not.stringMatching(/Geheim|falsch/) },
    })
  })

  if (tls)
    it.each([
      ['another certificate', { fingerprint: '0'.repeat(64) }, 'DEVICE_UNTRUSTED'],
      ['a certificate that nobody vouches for', { fingerprint: null }, 'DEVICE_UNTRUSTED'],
      ['a host that there is not', { host: 'nobody.invalid' }, 'DEVICE_UNREACHABLE'],
    ])('says what is wrong with %s, and sends nothing', async (_, more, code) => {
      await expect(run('power_state', more)).rejects.toMatchObject({ code })
      expect(machine.challenges).toBe(0)
    })

  it('leaves a silent one when it is aborted', async () => {
    machine.faults.push('silent')
    const abort = new AbortController()
    const refused = expect(run('power_state', {}, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
    await vi.waitFor(() => expect(machine.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })

  if (tls)
    it('goes through server and agent from create to destroy, and shows no password', {
      timeout: 120_000,
    }, async () => {
      const rig = await openRig({
        plugins: [amt],
        handlers: [handlers],
        resources: [join(import.meta.dirname, '../resources.toml')],
      })
      const { contractor } = rig
      await contractor.foundations.create({
        ...{ locator: 'm1', type: 'AMT', site: 'lab', blueprint: 'amt-base' },
        fields: {
          ...{
            amt_ip_address: '127.0.0.1',
            amt_port: machine.port,
            amt_tls: true,
            amt_fingerprint: machine.fingerprint,
          },
          amt_password: machine.password,
        },
      })
      await contractor.foundations.setLocated('m1')
      machine.powerState = 2
      await rig.finish(contractor.foundations.doCreate('m1'))
      expect(machine.powerState).toBe(8)
      await rig.finish(contractor.foundations.doJob('m1', 'power_on'))
      expect(await contractor.foundations.read('m1')).toMatchObject({ exists: true, details: { power: 'on' } })
      await rig.finish(
        rig.run(
          'm1',
          `if foundation.inventory()[ 'model' ] != 'NUC' then fatal_error( msg=foundation.amt_ip_address )\n`,
        ),
      )
      await rig.finish(contractor.foundations.doDestroy('m1'))
      expect(machine.powerState).toBe(8)
      const shown = [await contractor.foundations.get('m1'), (await contractor.jobs.list({})).items, rig.lines]
      expect(JSON.stringify(shown)).not.toContain(machine.password)
    })
})
