import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContractor } from '@contractor/core'
import { afterEach, describe, expect, it } from 'vitest'
import { commandLine } from '../../../test/built.ts'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { freePort } from '../../../test/embedded-postgres.ts'

const root = join(import.meta.dirname, '../../..')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function contractor(args: string[], environment: Record<string, string> = {}) {
  const options = { cwd: root, env: { ...process.env, ...environment } }
  return new Promise<{ code: number; out: string; err: string }>(resolve =>
    execFile(process.execPath, [...commandLine('server'), ...args], options, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    ),
  )
}

async function openZones(): Promise<{ database: string; folder: string }> {
  const own = await createPostgresDatabase()
  cleanups.push(() => own.drop())
  const engine = await createContractor({ database: own.option, foreman: false })
  const zone = { email: 'hostmaster@example.com', nameservers: ['ns1.example.com', 'ns.example.net'] }
  await engine.zones.create({ name: 'example.com', ...zone })
  await engine.close()
  const folder = await mkdtemp(join(tmpdir(), 'contractor-dns-cli-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  return { database: own.option, folder }
}

describe('contractor dns write', () => {
  it('says what it would write, writes it, and then has nothing to write', async () => {
    const { database, folder } = await openZones()
    const write = (...args: string[]) => contractor(['dns', 'write', folder, '--database', database, ...args])
    const dry = await write('--check')
    expect(dry).toMatchObject({ code: 1, out: expect.stringMatching(/^new: \S+example\.com\.zone, serial \d+\nnew: /) })
    expect(dry.err).toBe(
      'Warning: Zone example.com: the NS of example.com leads to ns1.example.com, which has no address\n',
    )
    expect(await readdir(folder)).toEqual([])
    expect(await write()).toMatchObject({ code: 0, out: dry.out.replace('would change', 'changed') })
    expect(await write('--check')).toMatchObject({ code: 0, out: '1 zones, 0 files would change\n' })
    const conf = join(folder, 'elsewhere.conf')
    await write('--named-conf', conf, '--named-directory', '/srv/dns')
    expect(await readFile(conf, 'utf8')).toContain('file "/srv/dns/example.com.zone";')
  })

  it('says that the folder is not there', async () => {
    const { database, folder } = await openZones()
    const { code, err } = await contractor(['dns', 'write', join(folder, 'none'), '--database', database])
    expect({ code, err: err.split('\n').at(-2) }).toEqual({
      code: 1,
      err: `contractor: ${join(folder, 'none')} does not exist. Make it first`,
    })
  })
})

describe('contractor dns update', () => {
  it('needs a key, and a name server that answers, and tells no secret', async () => {
    const { database, folder } = await openZones()
    const server = `127.0.0.1:${await freePort()}`
    const update = (args: string[], key = '') =>
      contractor(['dns', 'update', '--database', database, '--server', server, ...args], { CONTRACTOR_DNS_KEY: key })
    const file = join(folder, 'contractor.key')
    await writeFile(file, 'key "contractor" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0"; };\n')
    const [none, missing, wrong, nobody] = await Promise.all([
      update([]),
      update(['--key-file', join(folder, 'none')]),
      update([], 'contractor:hmac-md5:c2VjcmV0c2VjcmV0'),
      update(['--key-file', file]),
    ])
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringContaining('A key is needed: give --key-file FILE, or set'),
    })
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('none cannot be read: ENOENT') })
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("'hmac-md5' is no algorithm for it") })
    expect(nobody).toMatchObject({
      code: 1,
      err: expect.stringContaining(`The name server ${server} cannot be reached`),
    })
    for (const { out, err } of [none, missing, wrong, nobody]) {
      expect(out + err).not.toContain('c2VjcmV0')
      expect(err).not.toContain('    at ')
    }
  })
})
