import { spawn } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../test/databases.ts'
import { isAlive, isPortOpen, readPage } from './look.ts'
import { createWebSite, type WebSite } from './web-site.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function openSite(kind: 'pglite' | 'postgres'): Promise<WebSite> {
  const database = kind === 'postgres' ? await createPostgresDatabase() : undefined
  if (database) cleanups.push(() => database.drop())
  const site = await createWebSite({ database: database?.option, lease: 2 })
  cleanups.push(async () => {
    await site.removeAll().catch(() => undefined)
    await site.close()
  })
  await site.startServer()
  await site.loadBlueprints()
  await site.createObjects()
  await site.startAgent()
  return site
}

/** The pids of the web servers that run under a directory, as the kernel knows them. */
async function webServersUnder(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return folder.startsWith(directory) && command.includes('server.mjs') ? [Number(pid)] : []
    }),
  )
  return found.flat().sort((a, b) => a - b)
}

describe.each(['pglite', 'postgres'] as const)('three web servers, on %s', kind => {
  it('are built once each, though the agent is killed and the server restarted in the middle', {
    timeout: 120_000,
  }, async () => {
    const site = await openSite(kind)
    await site.order('create')
    await site.follow(
      () => undefined,
      targets => targets.some(({ job }) => job.structure !== null && job.message.startsWith('Starting')),
    )
    await site.crashAgent()
    await site.restartServer()
    await site.follow(() => undefined)

    expect((await site.structures()).map(({ hostname, state }) => [hostname, state])).toEqual([
      ['web01', 'built'],
      ['web02', 'built'],
      ['web03', 'built'],
    ])
    const pids = await site.pids()
    expect(await webServersUnder(site.directory)).toEqual([...pids].sort((a, b) => a - b))
    expect(pids).toHaveLength(3)
    for (const { hostname, port, site: of } of site.hosts) {
      expect(await readPage(port)).toContain(of === 'lab' ? 'Hello from the lab' : 'Hello from the annex')
      const output = await readFile(join(site.directory, 'hosts', hostname, '.contractor', 'output.log'), 'utf8')
      expect(output.match(/started/g)).toHaveLength(1)
    }

    await site.order('destroy')
    await site.follow(() => undefined)
    expect(pids.filter(isAlive)).toEqual([])
    for (const { port } of site.hosts) expect(await isPortOpen(port)).toBe(false)
  })
})

describe('the demo command', () => {
  const run = (args: string[], environment: Record<string, string> = {}) =>
    new Promise<{ code: number | null; out: string; err: string }>(resolve => {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', '--conditions=@contractor/source', join(import.meta.dirname, 'demo.ts'), ...args],
        {
          env: { ...process.env, ...environment },
        },
      )
      let out = ''
      let err = ''
      child.stdout.on('data', data => {
        out += data
      })
      child.stderr.on('data', data => {
        err += data
      })
      child.once('close', code => resolve({ code, out, err }))
    })

  it('refuses an option that it does not know, and says which it has', async () => {
    const { code, err } = await run(['--keeep'])
    expect(code).toBe(2)
    expect(err).toContain("Unknown option '--keeep'")
    expect(err).toContain('Usage: npm run demo')
  })

  it('ends with the step and the reason when the database cannot be reached', async () => {
    const { code, err } = await run([], { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' })
    expect(code).toBe(1)
    expect(err).toContain('failed at the step "1. Start the server"')
    expect(err).toContain('PostgreSQL at 127.0.0.1:1/none cannot be used')
    expect(err).not.toContain('secret')
  })
})
