import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContractor } from '@contractor/core'
import { afterEach, describe, expect, it } from 'vitest'
import { commandLine, sourceCommandLine } from '../../../test/built.ts'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { lathe } from '../../core/test/lathe.ts'

const root = join(import.meta.dirname, '../../..')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Ran {
  child: ChildProcess
  /** Resolves when the output matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  ended: Promise<{ code: number | null; out: string; err: string }>
}

function contractor(args: string[], environment: Record<string, string> = {}, command = commandLine('server')): Ran {
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', data => {
    out += data
  })
  child.stderr.on('data', data => {
    err += data
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>(resolve =>
    child.once('close', code => resolve({ code, out, err })),
  )
  cleanups.push(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    child,
    ended,
    says: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(out)
          if (found) resolve(found)
        }
        child.stdout.on('data', look)
        void ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${out}${err}`)))
        look()
      }),
  }
}

async function database(): Promise<string> {
  const own = await createPostgresDatabase()
  cleanups.push(() => own.drop())
  return own.option
}

describe('contractor jobs check-upgrade', () => {
  it('says for every live Job whether it can go on', async () => {
    const option = await database()
    const engine = await createContractor({ database: option, plugins: [lathe], foreman: false })
    await engine.sites.create({ name: 'lab' })
    await engine.scripts.put({ name: 'create', source: 'foundation.weld()' })
    await engine.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'create' } })
    const input = { locator: 'f', type: 'Lathe' as const, site: 'lab', blueprint: 'base', fields: { serial: 's' } }
    await (await engine.foundations.create(input)).setLocated()
    await engine.jobs.create({ foundation: 'f' }, 'create')
    await engine.foreman.runDue()
    await engine.close()
    const plugin = join(root, 'packages/core/test/lathe.ts')
    const args = ['jobs', 'check-upgrade', '--database', option]
    expect(await contractor([...args, '--plugin', plugin], {}, sourceCommandLine('server')).ended).toMatchObject({
      code: 0,
      out: 'Job 1, create of Foundation f (queued): can go on\n1 live Jobs, 0 of which cannot go on\n',
    })
    const { code, out } = await contractor([...args, '--json']).ended
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      job: 1,
      problems: ["No plugin provides its Foundation's type 'Lathe'", expect.any(String)],
    })
  })
})

describe('contractor serve', () => {
  it('listens, tells an admin token once, keeps it over a restart, and ends in order', async () => {
    const option = await database()
    const first = contractor(['serve', '--database', option, '--port', '0'])
    const [, token] = await first.says(/Admin token \(told this once\): (\S+)/)
    const [, url] = await first.says(/listening on (http:\S+?),/)
    const answer = await fetch(`${url}/api/v1/sites`, { headers: { Authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(200)
    first.child.kill('SIGTERM')
    expect(await first.ended).toMatchObject({ code: 0 })

    const second = contractor(['serve', '--database', option, '--port', '0'])
    const [, again] = await second.says(/listening on (http:\S+?),/)
    expect((await fetch(`${again}/api/v1/sites`, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200)
    second.child.kill('SIGINT')
    expect((await second.ended).out).not.toContain('Admin token')
  })

  it.each([
    ['a token that is given', { CONTRACTOR_ADMIN_TOKEN: 'given-to-both-of-them-alike' }],
    ['the first one’s token', {}],
  ])('starts several times at once on a new database, with %s', async (_, environment) => {
    const option = await database()
    const servers = [1, 2, 3].map(() => contractor(['serve', '--database', option, '--port', '0'], environment))
    for (const server of servers) await server.says(/listening on/)
    for (const server of servers) server.child.kill('SIGTERM')
    const told = (await Promise.all(servers.map(server => server.ended))).map(({ code, out }) => ({
      code,
      tokens: out.match(/Admin token/g)?.length ?? 0,
    }))
    expect(told.map(one => one.code)).toEqual([0, 0, 0])
    expect(told.reduce((sum, one) => sum + one.tokens, 0)).toBe('CONTRACTOR_ADMIN_TOKEN' in environment ? 0 : 1)
  })

  it('says which port is taken', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { code, err } = await contractor(['serve', '--database', await database(), '--port', String(port)]).ended
    expect({ code, err }).toEqual({
      code: 1,
      err: `contractor: Port ${port} of 127.0.0.1 is taken by another process. Stop that, or use another port with --port.\n`,
    })
    await new Promise(resolve => other.close(resolve))
  })

  it('says which process has the database directory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'contractor-cli-'))
    cleanups.push(() => rm(folder, { recursive: true, force: true }))
    const first = contractor(['serve', '--database', `pglite:${folder}`, '--port', '0'])
    await first.says(/listening on/)
    const { code, err } = await contractor(['serve', '--database', `pglite:${folder}`, '--port', '0']).ended
    expect({ code, err }).toEqual({
      code: 1,
      err: `contractor: The database in ${folder} is in use by process ${first.child.pid}. Stop it, or use another directory.\n`,
    })
  })

  it.each([
    [
      ['serve', '--plugin', '@contractor/plugin-nothing', '--database', 'memory:'],
      "Plugin '@contractor/plugin-nothing' cannot be loaded: it is not installed. Run: npm install @contractor/plugin-nothing",
    ],
    [
      ['serve', '--plugin', 'zod', '--database', 'memory:'],
      "'zod' exports no plugin: defineFoundation, defineModule, defineComplex or defineService makes one",
    ],
    [['serve', '--database', 'sqlite:x'], "'sqlite:x' names no database: use memory:, pglite:DIRECTORY or postgres://"],
    [['serve', '--port', '99999'], 'A whole number from 0 to 65535 is needed.'],
    [['sevre'], "unknown command 'sevre'"],
  ])('with wrong input says what is wrong: %j', async (args, message) => {
    const { code, err } = await contractor(args).ended
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).not.toContain('    at ')
  })
})
