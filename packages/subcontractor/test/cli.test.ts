import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
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
    for (const word of ['--server', '--module', '--token-file', 'CONTRACTOR_TOKEN', '--concurrency'])
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
