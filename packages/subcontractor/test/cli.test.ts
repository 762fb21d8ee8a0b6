import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentToken, createFakeServer, type FakeServer } from './fake-server.ts'
import { createPluginFolder } from './installed-plugins.ts'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const folder = createPluginFolder()
const children: ChildProcess[] = []
let server: FakeServer

beforeEach(async () => {
  server = await createFakeServer()
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await server.close()
  expect(server.violations).toEqual([])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The real program, in a process of its own. */
function run(args: string[], token = agentToken) {
  const child = spawn(process.execPath, ['--conditions=@contractor/source', '--import', tsx, cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', CONTRACTOR_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { out: '', err: '' }
  const looks = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output.err += chunk
    for (const look of looks) look()
  })
  return {
    child,
    ended: new Promise<{ code: number | null; out: string; err: string }>(resolve => {
      child.once('close', code => resolve({ code, ...output }))
    }),
    said: (part: string) =>
      new Promise<void>(resolve => {
        const look = () => {
          if (output.err.includes(part)) resolve()
        }
        looks.add(look)
        look()
      }),
  }
}

const agent = (...more: string[]) => run(['--server', server.url, '--module', 'tools-plugin', '--name', 'a1', ...more])

describe('subcontractor', () => {
  it('tells its options and its version', async () => {
    const [help, version, wrong] = await Promise.all([
      run(['--help']).ended,
      run(['--version']).ended,
      run(['--server', 'localhost:80', '--module', 'tools-plugin']).ended,
    ])
    expect(help.code).toBe(0)
    for (const word of ['--server', '--module', '--token-file', 'CONTRACTOR_TOKEN', '--concurrency', '--journal'])
      expect(help.out).toContain(word)
    expect(version).toMatchObject({ code: 0, out: '0.1.0\n' })
    expect(wrong.code).toBe(1)
    expect(wrong.err).toContain('It must be an http:// or https:// URL')
  })

  it('with a wrong token ends with a clear error, and does not show it', async () => {
    const { code, err } = await run(['--server', server.url, '--module', 'tools-plugin'], 'wrong-token').ended
    expect(code).toBe(1)
    expect(err).toContain("does not know this agent's token (401: no such token)")
    expect(err).not.toContain('wrong-token')
    expect(server.messages.all).toHaveLength(1)
  })

  it('does tasks; at SIGTERM finishes what can be finished, hands back the rest, and exits 0', async () => {
    const task = (name: string, params = '') => ({ module: 'tools', function: name, params })
    const [env = 0, stray = 0, heed = 0, finish = 0] = server.add(
      task('env', 'CONTRACTOR_TOKEN'),
      task('stray'),
      task('heed'),
      task('finish'),
    )
    const { child, ended, said } = agent('--grace', '0.2')
    expect((await server.endOf(env)).result).toBe('unset')
    expect((await server.endOf(stray)).result).toBe('done')
    await said('running finish')
    child.kill('SIGTERM')
    const { code, err } = await ended
    expect(code).toBe(0)
    expect((await server.endOf(finish)).result).toBe('finished')
    expect(server.stateOf(heed)).toBe('queued')
    expect(err).toContain('unhandled rejection reason="Error: stray promise"')
    expect(err).not.toContain(agentToken)
  })

  it('killed after its handler has finished, while the server is away, hands in the answer once it is started again', async () => {
    const note = join(folder, 'notes-finished')
    const journal = ['--journal', join(folder, 'journal-finished'), '--concurrency', 'tools=1']
    const [id = 0] = server.add({ module: 'tools', function: 'note', params: note })
    const killed = agent(...journal)
    await killed.said('noting')
    await server.close()
    killed.child.kill('SIGUSR2')
    // With its only slot taken, the first message that fails is the one with the answer.
    await killed.said('server is away')
    killed.child.kill('SIGKILL')
    expect((await killed.ended).code).toBeNull()
    await server.open()

    const { child, ended } = agent(...journal)
    expect((await server.endOf(id)).result).toBe('noted')
    expect(readFileSync(note, 'utf8')).toBe('run ')
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  it('killed while its handler runs gives the task back as begun once it is started again', async () => {
    const journal = ['--journal', join(folder, 'journal-begun')]
    const [id = 0] = server.add({ module: 'tools', function: 'note', params: join(folder, 'notes-begun') })
    const killed = agent(...journal)
    await killed.said('noting')
    killed.child.kill('SIGKILL')
    await killed.ended

    agent(...journal)
    const { body } = await server.messages.first(({ path }) => path === 'release')
    expect(body.claims).toEqual([{ taskId: id, claimToken: 'claim-1', begun: true }])
  })

  it('does not share its journal with a second one', async () => {
    const journal = ['--journal', join(folder, 'journal-shared')]
    const first = agent(...journal)
    await first.said('connected')
    const { code, err } = await agent(...journal).ended
    expect(code).toBe(1)
    expect(err).toMatch(/agent ends reason="The journal \S+journal-shared is in use by process \d+/)
    // A lock does not outlive its holder, however that ends.
    first.child.kill('SIGKILL')
    await first.ended
    await agent(...journal).said('connected')
  })

  it('exits at once at the second signal', async () => {
    server.add({ module: 'tools', function: 'heed' })
    const { child, ended, said } = agent('--grace', '600')
    await said('running heed')
    child.kill('SIGINT')
    await said('stopping')
    child.kill('SIGINT')
    expect((await ended).code).toBe(1)
  })
})
