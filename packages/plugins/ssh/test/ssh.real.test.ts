import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { manual } from '@contractor/plugin-manual'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { type SshServer, startSshd } from '../../../../test/sshd.ts'
import { handlers } from '../src/handlers/index.ts'
import { ssh } from '../src/ssh.ts'

const missing = !existsSync('/usr/sbin/sshd')
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'

describe.skipIf(missing && !required)('SSH (needs sshd, of package openssh-server)', { timeout: 60_000 }, () => {
  let server: SshServer
  beforeAll(async () => {
    server = await startSshd()
  })
  afterAll(() => server.stop())

  const login = () => ({
    ...{ host: '127.0.0.1', port: server.port, username: server.username },
    ...{ private_key: server.privateKey, host_key: server.fingerprint },
  })
  const run = (task: string, more: object, signal = new AbortController().signal) =>
    handlers.run(task, { ...login(), timeoutMs: 10_000, ...more }, createHandlerContext({ signal })) as Promise<
      Record<string, unknown>
    >
  const execute = (command: string, more: object = {}) =>
    run('execute', { command, environment: {}, input: null, ...more })

  it('runs commands with environment and input, and tells both outputs and the exit code', async () => {
    const ended = await execute('echo "$A"; cat; echo bad >&2; exit 3', { environment: { A: "it's" }, input: 'in' })
    expect(ended).toEqual({ rc: 3, signal: null, stdout: "it's\nin", stderr: 'bad\n', all: null })
    expect(await execute('kill -KILL $$')).toMatchObject({ rc: null, signal: 'SIGKILL' })
    expect(await execute('seq 1 50000')).toMatchObject({
      rc: 0,
      all: { name: 'output.txt' },
      stdout: expect.stringMatching(/50000\n$/),
    })
  })

  it('hears the end of a command that comes in one piece with its beginning, as where the agent is busy', async () => {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    const busy = setInterval(() => Atomics.wait(pause, 0, 0, 600), 0)
    onTestFinished(() => clearInterval(busy))
    expect(await execute('echo x')).toMatchObject({ rc: 0, stdout: 'x\n' })
  })

  it('ends a command whose time is over, and one that is aborted', async () => {
    await expect(execute('sleep 60', { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'DEVICE_TIMED_OUT',
    })
    const begun = join(server.folder, 'begun')
    const abort = new AbortController()
    const refused = expect(
      run('execute', { command: `touch ${begun}; sleep 60`, environment: {}, input: null }, abort.signal),
    ).rejects.toThrow('claim lost')
    await vi.waitFor(() => expect(existsSync(begun)).toBe(true), { timeout: 10_000 })
    abort.abort(new Error('claim lost'))
    await refused
  })

  it('writes a file whole, with mode and checksum, and nothing where it is the same', async () => {
    const destination = join(server.folder, 'motd')
    const put = (more: object) =>
      run('put', { destination, content: null, source: null, sha256: null, mode: null, ...more })
    expect(await put({ content: 'héllo\n', mode: '0640' })).toMatchObject({ changed: true, sizeBytes: 7 })
    expect(readFileSync(destination, 'utf8')).toBe('héllo\n')
    expect(statSync(destination).mode & 0o777).toBe(0o640)
    expect(await put({ content: 'héllo\n', mode: '0600' })).toMatchObject({ changed: false })
    expect(statSync(destination).mode & 0o777).toBe(0o600)
    expect(await run('get', { path: destination })).toMatchObject({ content: 'héllo\n', sizeBytes: 7, all: null })
    await expect(put({ content: 'x', sha256: '0'.repeat(64) })).rejects.toThrow('has the checksum')
    await expect(put({ destination: '/nowhere/at/all', content: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(run('get', { path: join(server.folder, 'nothing') })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(readFileSync(destination, 'utf8')).toBe('héllo\n')
  })

  it('fetches what it writes from elsewhere, and says what is wrong with that', async () => {
    const web = createServer(
      ({ url }, response) => void (url === '/image' ? response.end('an image') : response.writeHead(404).end()),
    )
    await new Promise<void>(resolve => web.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void web.close())
    const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
    const destination = join(server.folder, 'image')
    const from = (source: string) => run('put', { destination, content: null, source, sha256: null, mode: null })
    expect(await from(`${base}/image`)).toMatchObject({ changed: true, sizeBytes: 8 })
    await expect(from(`${base}/none`)).rejects.toThrow('answers 404')
    await expect(from(`http://127.0.0.1:${await freePort()}/x`)).rejects.toMatchObject({ retryable: true })
  })

  it('goes over a jump host, and tells the two apart', async () => {
    const other = await startSshd()
    onTestFinished(() => other.stop())
    const jump = { ...login(), password: null, passphrase: null }
    const there = { port: other.port, private_key: other.privateKey, host_key: other.fingerprint, jump }
    expect(await execute('echo over', there)).toMatchObject({ stdout: 'over\n' })
    await expect(execute('true', { ...there, host_key: server.fingerprint })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNTRUSTED', message: expect.stringContaining(`127.0.0.1:${other.port}`) },
    })
    await expect(execute('true', { ...there, port: await freePort() })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNREACHABLE', message: expect.stringContaining(`127.0.0.1:${server.port}: 127.0.0.1:`) },
    })
  })

  it('says what is wrong with a key, a host key, a user, a port, and a server that is none', async () => {
    await expect(execute('true', { host_key: null })).rejects.toMatchObject({
      ...{
        code: 'DEVICE_UNTRUSTED',
        retryable: false,
        message: expect.stringContaining(`say host_key='${server.fingerprint}'`),
      },
    })
    await expect(execute('true', { host_key: `SHA256:${'A'.repeat(43)}` })).rejects.toThrow('it is another machine')
    expect(await execute('true', { host_key: 'any' })).toMatchObject({ rc: 0 })
    await expect(execute('true', { private_key: null, password: 'geheim-1' })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNAUTHENTICATED', message: expect.not.stringContaining('geheim-1') },
    })
    await expect(execute('true', { private_key: 'no key at all' })).rejects.toMatchObject({
      code: 'DEVICE_UNAUTHENTICATED',
    })
    await expect(execute('true', { port: await freePort() })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      retryable: true,
    })
    const rubbish = createTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>(resolve => rubbish.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void rubbish.close())
    const { port } = rubbish.address() as AddressInfo
    await expect(execute('true', { port })).rejects.toMatchObject({ code: expect.stringMatching(/^DEVICE_/) })
  })

  it('goes through server and agent: commands and files of a Job, whose secrets nobody sees', async () => {
    const resource = join(server.folder, 'resources.toml')
    const at = `host='127.0.0.1', port=${server.port}, username='${server.username}', host_key='${server.fingerprint}', private_key=config.key`
    writeFileSync(
      resource,
      `[foundation.machine]
foundation_types = [ 'Manual' ]
scripts = { create = 'make', destroy = 'unmake' }
config_values = { key = { "$secret" = "ssh_key" } }
[script.make]
script = '''
ssh.put( ${at}, destination='${server.folder}/made', content='made', mode='0600' )
ssh.execute( ${at}, command='test -f ${server.folder}/made' )
seen = ssh.run( ${at}, command='cat ${server.folder}/made; exit 4' )
if ( seen[ 'rc' ] != 4 ) then fatal_error( msg='it is not four' )
'''
[script.unmake]
script = '''
ssh.execute( ${at}, command='rm ${server.folder}/made' )
ssh.execute( ${at}, command='rm ${server.folder}/made 2>/dev/null', expected_rc=0 )
'''
`,
    )
    const rig = await openRig({ plugins: [ssh, manual], handlers: [handlers], resources: [] })
    const { contractor } = rig
    await contractor.secrets.put({ name: 'ssh_key', value: server.privateKey })
    await contractor.resources.load([resource])
    await contractor.foundations.create({ locator: 'm1', type: 'Manual', site: 'lab', blueprint: 'machine' })
    await contractor.foundations.setLocated('m1')
    await rig.finish(contractor.foundations.doCreate('m1'))
    expect(readFileSync(join(server.folder, 'made'), 'utf8')).toBe('made')
    expect(await rig.standing(contractor.foundations.doDestroy('m1'))).toMatch(
      /is aborted: 127\.0\.0\.1: 'rm .*' ended with 1, not with 0/,
    )
    const seen = JSON.stringify([(await contractor.jobs.list({})).items, rig.lines])
    expect(seen).not.toContain(server.privateKey.split('\n')[1])
  })
})
