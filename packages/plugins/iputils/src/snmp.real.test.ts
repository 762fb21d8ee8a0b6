import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { handlers } from './handlers/index.ts'

const missing = spawnSync('snmpd', ['-v']).error !== undefined
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const name = '1.3.6.1.2.1.1.5.0'
const contact = '1.3.6.1.2.1.1.4.0'

describe.skipIf(missing && !required)('SNMP (needs snmpd, of package snmpd)', { timeout: 60_000 }, () => {
  let port = 0
  let stop: () => void
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'snmpd-'))
    port = await freePort()
    writeFileSync(
      join(folder, 'snmpd.conf'),
      `sysName web01
rocommunity public
rwcommunity private
createUser me SHA "authenticated" AES "encrypted-well"
rwuser me priv
`,
    )
    const args = [
      '-f',
      '-C',
      '-c',
      join(folder, 'snmpd.conf'),
      '-Lo',
      '-p',
      join(folder, 'pid'),
      `udp:127.0.0.1:${port}`,
    ]
    const server = spawn('snmpd', args, { stdio: 'ignore', env: { ...process.env, SNMP_PERSISTENT_DIR: folder } })
    stop = () => {
      server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    await vi.waitFor(() => run('snmp_get', { community: 'public', oid: name }), { timeout: 20_000 })
  }, 30_000)
  afterAll(() => stop())
  const run = (task: string, more: object, signal = new AbortController().signal) =>
    handlers.run(task, { host: '127.0.0.1', port, ...more }, createHandlerContext({ signal }))

  it.each([
    [{ protocol: 'SNMPv1', community: 'private' }],
    [{ protocol: 'SNMPv2c', community: 'private' }],
    [{ protocol: 'SNMPv3', user: 'me', auth_key: 'authenticated', priv_key: 'encrypted-well' }],
  ])('%j reads, sets with the type that is there, and says of what is not that there is none', async login => {
    expect(await run('snmp_get', { ...login, oid: name })).toEqual({ value: 'web01' })
    await run('snmp_set', { ...login, oid: contact, value: 'me & you' })
    expect(await run('snmp_get', { ...login, oid: contact })).toEqual({ value: 'me & you' })
    expect(await run('snmp_get', { ...login, oid: '1.3.6.1.4.1.99999.1.0' })).toEqual({ value: null })
    await expect(run('snmp_set', { ...login, oid: '1.3.6.1.4.1.99999.1.0', value: '1' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('walks a tree in order, and refuses one that is larger than was said', async () => {
    const { variables } = (await run('snmp_walk', { community: 'public', oid: '1.3.6.1.2.1.1', most: 100 })) as {
      variables: { oid: string; value: string; type: string }[]
    }
    expect(variables.map(one => one.oid)).toContain(name)
    expect(variables.find(one => one.oid === '1.3.6.1.2.1.1.3.0')).toMatchObject({
      type: 'TimeTicks',
      value: expect.stringMatching(/^\d+$/),
    })
    await expect(run('snmp_walk', { community: 'public', oid: '1.3.6.1.2.1', most: 3 })).rejects.toThrow('more than 3')
    expect(await run('snmp_walk', { community: 'public', oid: '1.3.6.1.4.1.99999', most: 3 })).toEqual({
      variables: [],
    })
  })

  it('says what is wrong with a community, a user, keys, what may not be written, and a host that is silent', async () => {
    await expect(run('snmp_get', { community: 'wrong', oid: name })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
    })
    const me = { protocol: 'SNMPv3', user: 'me', auth_key: 'authenticated', priv_key: 'encrypted-well' }
    await expect(run('snmp_get', { ...me, user: 'other', oid: name })).rejects.toMatchObject({
      code: 'DEVICE_UNAUTHENTICATED',
    })
    await expect(run('snmp_get', { ...me, auth_key: 'wrong-password', oid: name })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNAUTHENTICATED', retryable: false, message: expect.not.stringContaining('wrong-password') },
    })
    await expect(run('snmp_set', { community: 'public', oid: contact, value: 'x' })).rejects.toMatchObject({
      code: 'DEVICE_REFUSED',
    })
    const abort = new AbortController()
    const refused = expect(
      run('snmp_get', { community: 'public', oid: name, port: await freePort() }, abort.signal),
    ).rejects.toThrow()
    await nextTurn()
    abort.abort(new Error('claim lost'))
    await refused
  })
})
