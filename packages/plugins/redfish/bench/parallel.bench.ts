import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createContractor } from '@contractor/core'
import { createServer, listen } from '@contractor/server'
import { buildIfStale, commandLine } from '../../../../test/built.ts'
import { redfish } from '../src/redfish.ts'

/** How many BMCs there are, and of how many of their answers in a hundred none can be used. */
const bmcCount = 200
const faultPercent = 5
/** How many the agent speaks to at once. */
const atOnce = 64

/** 200 machines are powered on by one agent: seconds until all are on, and the agent's peak memory. */
export const benchmarks = { 'drivers/parallel': powerOnAll }

async function powerOnAll() {
  buildIfStale()
  const bmcs = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@contractor/source', join(import.meta.dirname, 'bmcs.ts')].concat(
      ...[String(bmcCount), String(faultPercent / 100)],
    ),
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const contractor = await createContractor({ database: 'memory:', plugins: [redfish], secretKey: secretKey() })
  const server = await listen(createServer(contractor), { host: '127.0.0.1', port: 0 })
  let agent: ChildProcess | undefined
  try {
    const { ports, fingerprint, username, password } = JSON.parse(await firstLine(bmcs)) as Bmcs
    await contractor.sites.create({ name: 'lab' })
    await contractor.scripts.put({ name: 'on', source: 'foundation.power_on()' })
    await contractor.blueprints.put({
      ...({ kind: 'foundation', name: 'server', foundationTypes: ['RedFish'], scripts: { create: 'on' } } as const),
    })
    for (const [at, port] of ports.entries()) {
      await contractor.foundations.create({
        ...({ locator: `m${at}`, type: 'RedFish', site: 'lab', blueprint: 'server' } as const),
        fields: {
          ...{ redfish_ip_address: '127.0.0.1', redfish_port: port, redfish_fingerprint: fingerprint },
          ...{ redfish_username: username, redfish_password: password },
        },
      })
      await contractor.foundations.setLocated(`m${at}`)
    }
    const { secret } = await contractor.tokens.create({
      ...{ kind: 'agent', name: 'agent', sites: ['lab'], modules: ['redfish'] },
    })
    agent = spawn(
      process.execPath,
      [
        ...commandLine('subcontractor'),
        ...['--server', server.url, '--module', '@contractor/plugin-redfish'],
        ...['--concurrency', `redfish=${atOnce}`, '--name', 'agent'],
      ],
      { stdio: 'ignore', env: { ...process.env, CONTRACTOR_TOKEN: secret } },
    )
    const begun = performance.now()
    const jobs = await contractor.jobs.createMany(ports.map((_, at) => ({ foundation: `m${at}`, action: 'create' })))
    const ends = await Promise.allSettled(jobs.map(job => job.completed({ timeoutMs: 600_000 })))
    const seconds = (performance.now() - begun) / 1000
    const failed = ends.flatMap(end => (end.status === 'rejected' ? [String(end.reason)] : []))
    return {
      ...{ bmcs: bmcCount, faultPercent, atOnce, seconds: round(seconds), poweredOn: bmcCount - failed.length },
      ...{ agentPeakMiB: peakMiB(agent.pid ?? 0), ...(failed.length && { failed: failed.slice(0, 3) }) },
    }
  } finally {
    await ended(agent)
    await server.close()
    await contractor.close()
    bmcs.stdin.end()
    await ended(bmcs)
  }
}

interface Bmcs {
  ports: number[]
  fingerprint: string
  username: string
  password: string
}

const round = (value: number) => Math.round(value * 10) / 10
const secretKey = () => Buffer.alloc(32, 7).toString('base64')

/** proc(5): the most memory that a process has had. */
const peakMiB = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) return line
  throw new Error('The BMCs have ended without a word')
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null) return
  const exit = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
}
