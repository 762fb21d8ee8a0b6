import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it, type TestContext } from 'vitest'
import { createWorkshop, isRunning, longRunning, readLines, script } from '../../test/workshop.ts'
import { readSupervision } from '../supervision/state.ts'

/** Tests run side by side, each with a workshop of its own: most of their time is the processes' own. */
function open({ onTestFinished }: TestContext) {
  const workshop = createWorkshop()
  const children: ChildProcess[] = []
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL')
    await workshop.close()
  })
  const run = (file: string, ...args: string[]) => {
    const child = spawn(process.execPath, ['--conditions=@contractor/source', '--import', tsx, file, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  return {
    ...workshop,
    async prepared(name = 'web01') {
      const foundation = workshop.foundation(name)
      await foundation.prepare()
      return foundation
    },
    /** An agent in a process of its own, which is about to do one start. */
    spawnAgent(params: object) {
      const child = run(agentFile, JSON.stringify(params))
      const exited = new Promise(resolve => child.once('exit', resolve))
      return {
        said: new Promise<string>(resolve => child.stdout.once('data', data => resolve(String(data).trim()))),
        kill: () => {
          child.kill('SIGKILL')
          return exited
        },
      }
    },
    /** Runs a supervisor with this order, and resolves with its exit code. */
    supervise(order: string): Promise<number | null> {
      const child = run(supervisorFile)
      child.stdin.end(order)
      return new Promise(resolve => child.once('exit', resolve))
    },
  }
}

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const supervisorFile = fileURLToPath(new URL('../supervisor/main.ts', import.meta.url))
const agentFile = fileURLToPath(new URL('../../test/agent.ts', import.meta.url))

describe.concurrent('start', () => {
  it('starts the process in the directory, with its environment and no part of the agent’s', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    process.env.AGENT_SECRET = 'hush'
    const pid = await web.start('s1', {
      command: script(
        "require('fs').writeFileSync('seen', JSON.stringify([process.cwd(), process.env])); console.log('up'); setInterval(() => {}, 1000)",
      ),
      environment: { PORT: '8080' },
    })
    delete process.env.AGENT_SECRET
    await web.until(() => readLines(join(web.directory, 'seen')).length > 0)
    const [folder, environment] = JSON.parse(readFileSync(join(web.directory, 'seen'), 'utf8'))
    expect(folder).toBe(web.directory)
    expect(environment).toMatchObject({ PORT: '8080', PATH: process.env.PATH })
    expect(JSON.stringify(environment)).not.toContain('hush')
    expect(isRunning(pid)).toBe(true)
    const status = await web.status()
    expect(status).toMatchObject({ phase: 'running', running: true, pid, startId: 's1', restarts: 0 })
    await web.until(() => readLines(status.log).includes('up'), '.contractor')
    await expect(web.remove()).rejects.toThrow(`is in use by the process of Foundation 'web01' (pid ${pid})`)
  })

  it('finds the same command running, by the same call and by another one', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const pid = await web.start('s1')
    expect(await web.start('s1')).toBe(pid)
    expect(await web.start('s2')).toBe(pid)
    expect(await web.started()).toEqual([pid])
    await expect(web.start('s3', { command: script('1') })).rejects.toThrow('already runs another command')
  })

  it('done twice at once starts one process, whether it is one call or two', async context => {
    const { prepared } = open(context)
    const [one, two] = await Promise.all([prepared('web01'), prepared('web02')])
    const [a, b, c, d] = await Promise.all([one.start('s1'), one.start('s1'), two.start('s1'), two.start('s2')])
    expect([await one.started(), await two.started()]).toEqual([[a], [c]])
    expect([b, d]).toEqual([a, c])
  })

  it('is refused when its port is taken, and says so', async context => {
    const { prepared, takePort } = open(context)
    const web = await prepared()
    const port = await takePort()
    await expect(web.start('s1', { port })).rejects.toThrow(`Port ${port} on 127.0.0.1`)
    expect((await web.status()).phase).toBe('none')
  })

  it.for<[string, string[], string]>([
    [
      'ends at once',
      ['sh', '-c', 'echo first; echo cannot read config >&2; exit 3'],
      'exit code 3: first\ncannot read config',
    ],
    ['is killed at once', ['sh', '-c', 'kill -9 $$'], 'ended at once with signal SIGKILL, without a word'],
    ['is not there', ['no-such-program'], "could not be started: there is no program 'no-such-program'"],
  ])('of a program that %s has failed, and is not repeated', async ([, command, message], context) => {
    const { prepared } = open(context)
    const web = await prepared()
    await expect(web.start('s1', { command })).rejects.toThrow(message)
    await expect(web.start('s1', { command })).rejects.toThrow(message)
    expect(await web.status()).toMatchObject({ phase: 'failed', running: false, pid: null, startId: 's1', restarts: 0 })
  })

  it('that happened and is over does not happen again', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    await web.start('s1')
    await web.started()
    await web.stop()
    await expect(web.start('s1')).rejects.toThrow('was started, and stopped since')
    expect(web.starts()).toHaveLength(1)
  })
})

describe.concurrent('an agent that is killed', () => {
  it('after the start: the repeated call finds the same process', async context => {
    const { prepared, spawnAgent } = open(context)
    const { directory, owner, start, started } = await prepared()
    const agent = spawnAgent({ directory, owner, startId: 's1', command: longRunning, environment: {}, port: null })
    const { pid } = JSON.parse(await agent.said)
    await agent.kill()
    expect(isRunning(pid)).toBe(true)
    expect(await start('s1')).toBe(pid)
    expect(await started()).toEqual([pid])
  })

  it.for<[string, (directory: string) => boolean]>([
    ['as soon as the supervisor has the directory', (directory: string) => !!readSupervision(directory).supervisor],
    [
      'as soon as the supervisor has written its first record',
      (directory: string) => !!readSupervision(directory).state,
    ],
    ['as soon as the process is there', (directory: string) => !!readSupervision(directory).child],
  ])('%s: the repeated call joins that start', async ([, moment], context) => {
    const { prepared, spawnAgent } = open(context)
    const { directory, owner, start, started, until } = await prepared()
    const agent = spawnAgent({ directory, owner, startId: 's1', command: longRunning, environment: {}, port: null })
    await until(() => moment(directory), '.contractor')
    const [pid] = await Promise.all([start('s1'), agent.kill()])
    expect(await started()).toEqual([pid])
    expect(isRunning(pid)).toBe(true)
  })
})

describe.concurrent('a claim that is lost', () => {
  it('ends the looking and not the start', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const abort = new AbortController()
    const ended = expect(web.start('s1', {}, abort.signal)).rejects.toThrow('claim lost')
    await web.until(() => !!readSupervision(web.directory).supervisor, '.contractor')
    abort.abort(new Error('claim lost'))
    await ended
    const pid = await web.start('s1')
    expect(await web.started()).toEqual([pid])
  })
})

describe.concurrent('the supervisor', () => {
  it('of half an order, or of a start that is over, does nothing', async context => {
    const { prepared, supervise } = open(context)
    const web = await prepared()
    await web.start('s1')
    await web.started()
    await web.stop()
    const order = { ...web, startId: 's1', fingerprint: '', command: longRunning, environment: {} }
    const [half, late] = await Promise.all([
      supervise(JSON.stringify(order).slice(0, -10)),
      supervise(JSON.stringify(order)),
    ])
    expect([half, late]).toEqual([1, 0])
    expect(web.starts()).toHaveLength(1)
    expect((await web.status()).phase).toBe('ended')
  })

  it('starts a process again that dies, and ends what it left behind', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const family = script(
      "const { pid } = require('child_process').spawn('sleep', ['600']); require('fs').appendFileSync('starts', pid + '\\n'); setInterval(() => {}, 1000)",
    )
    const first = await web.start('s1', { command: family })
    await web.until(() => web.starts().length === 1)
    process.kill(first, 'SIGKILL')
    await web.until(() => web.starts().length === 2)
    const status = await web.status()
    expect(status).toMatchObject({ phase: 'running', running: true, restarts: 1, signal: 'SIGKILL' })
    expect(status.pid).not.toBe(first)
    expect(isRunning(web.starts()[0] ?? 0)).toBe(false)
  })

  it('that is killed leaves a process that is seen, stopped, and replaced by the next start', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const killSupervisor = async () => {
      process.kill(readSupervision(web.directory).supervisor?.pid ?? 0, 'SIGKILL')
      await untilGone(() => readSupervision(web.directory).supervisor === undefined)
    }
    const first = await web.start('s1')
    await killSupervisor()
    expect(await web.status()).toMatchObject({ phase: 'lost', running: true, pid: first })
    await expect(web.remove()).rejects.toThrow('is in use by')
    const second = await web.start('s2')
    expect([isRunning(first), isRunning(second)]).toEqual([false, true])
    await killSupervisor()
    expect(await web.stop()).toEqual({ stopped: true })
    expect(isRunning(second)).toBe(false)
  })
})

describe.concurrent('stop', () => {
  it('ends the process and its supervisor, once', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const pid = await web.start('s1')
    expect(await web.stop()).toEqual({ stopped: true })
    expect(await web.stop()).toEqual({ stopped: false })
    expect(isRunning(pid)).toBe(false)
    expect(await web.status()).toMatchObject({ phase: 'ended', running: false, pid: null, signal: 'SIGTERM' })
    expect(await web.remove()).toEqual({ removed: true })
  })

  it('kills the whole group after the timeout', async context => {
    const { prepared } = open(context)
    const web = await prepared()
    const deaf = script(
      "process.on('SIGTERM', () => {}); const { pid } = require('child_process').spawn('sh', ['-c', 'trap : TERM; while :; do sleep 600; done']); require('fs').appendFileSync('starts', pid + '\\n'); setInterval(() => {}, 1000)",
    )
    const pid = await web.start('s1', { command: deaf })
    await web.until(() => web.starts().length === 1)
    expect(await web.stop(100)).toEqual({ stopped: true })
    expect([pid, ...web.starts()].map(isRunning)).toEqual([false, false])
    expect(await web.status()).toMatchObject({ phase: 'ended', signal: 'SIGKILL' })
  })

  it('of what was never started, or never prepared, is nothing', async context => {
    const { prepared, foundation } = open(context)
    expect(await foundation('nothing').stop()).toEqual({ stopped: false })
    expect(await (await prepared()).stop()).toEqual({ stopped: false })
  })
})

/** Death shows in no file: looks again in the next turns of the event loop. */
async function untilGone(gone: () => boolean): Promise<void> {
  while (!gone()) await new Promise(resolve => setImmediate(resolve))
}
