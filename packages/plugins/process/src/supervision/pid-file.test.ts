import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimFolder, findHolder } from './pid-file.ts'
import { identifyProcess, isAlive } from './process-identity.ts'

const root = mkdtempSync(join(tmpdir(), 'pid-file-'))
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const racer = fileURLToPath(new URL('../../test/claim-racer.ts', import.meta.url))

interface Racer {
  child: ChildProcess
  claim(folder: string): Promise<boolean>
}
let racers: Racer[]

function startRacer(): Racer {
  const child = spawn(process.execPath, ['--import', tsx, racer], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: child.stdout }).on('line', line => waiting.shift()?.(line))
  return {
    child,
    async claim(folder) {
      const answer = new Promise<string>(resolve => waiting.push(resolve))
      child.stdin.write(`${folder}\n`)
      return (await answer) === 'held'
    },
  }
}

beforeAll(async () => {
  racers = Array.from({ length: 4 }, startRacer)
  const folder = folderOf('warm-up', {})
  for (const { claim } of racers) await claim(folder)
})
afterAll(() => {
  for (const { child } of racers) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

function folderOf(name: string, files: Record<string, unknown>): string {
  const folder = join(root, name)
  mkdirSync(folder)
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), JSON.stringify(content))
  return folder
}

const dead = { pid: process.pid, startedAt: 'long ago' }

describe('the pid file', () => {
  it('is taken by exactly one of those who race for it, new or stale, and again when that one dies', async () => {
    const rounds = Array.from({ length: 40 }, (_, index) => {
      const files = [{}, { 'supervisor.7.pid': dead }, { 'supervisor.1.pid': dead, 'supervisor.2.pid': dead }][
        index % 3
      ]
      return folderOf(`round-${index}`, files ?? {})
    })
    const holders = new Map<string, Racer>()
    for (const folder of rounds) {
      const held = await Promise.all(racers.map(({ claim }) => claim(folder)))
      expect(held.filter(Boolean)).toHaveLength(1)
      const holder = racers[held.indexOf(true)] as Racer
      holders.set(folder, holder)
      expect(findHolder(folder)?.pid).toBe(holder.child.pid)
      expect(readdirSync(folder)).toHaveLength(1)
    }

    const victim = holders.get(rounds[0] ?? '') as Racer
    const gone = new Promise(resolve => victim.child.once('exit', resolve))
    victim.child.kill('SIGKILL')
    await gone
    const others = racers.filter(other => other !== victim)
    for (const folder of rounds) {
      const held = await Promise.all(others.map(({ claim }) => claim(folder)))
      expect(held.filter(Boolean)).toHaveLength(holders.get(folder) === victim ? 1 : 0)
    }
  })

  it('of a process whose number another one has now is stale', () => {
    const folder = folderOf('reused', { 'supervisor.3.pid': dead })
    expect(findHolder(folder)).toBeUndefined()
    expect(claimFolder(folder)).toEqual({ held: true })
    expect(readdirSync(folder)).toEqual(['supervisor.4.pid'])
    expect(claimFolder(folder)).toEqual({ held: false, holder: identifyProcess(process.pid) })
  })

  it('that a crash of the machine left empty is stale', () => {
    const folder = join(root, 'empty')
    mkdirSync(folder)
    writeFileSync(join(folder, 'supervisor.1.pid'), '')
    expect(claimFolder(folder)).toEqual({ held: true })
  })
})

describe('a process identity', () => {
  it('is of the living only', () => {
    const me = identifyProcess(process.pid)
    expect(me && isAlive(me)).toBe(true)
    expect(isAlive(dead)).toBe(false)
    expect(identifyProcess(2 ** 22 + 1)).toBeUndefined()
  })
})
