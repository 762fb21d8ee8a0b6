import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { iputils } from '@contractor/plugin-iputils'
import { handlers as iputilsHandlers } from '@contractor/plugin-iputils/handlers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type DockerDaemon, startDockerDaemon, whyNoDocker } from '../../../../test/dockerd.ts'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { docker } from '../src/docker.ts'
import { handlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const why = whyNoDocker() ?? (spawnSync('docker-registry', ['--version']).error && 'needs docker-registry')

describe.skipIf(why !== undefined && !required)(`Docker (${why ?? 'dockerd'})`, { timeout: 120_000 }, () => {
  let daemon: DockerDaemon
  beforeAll(async () => {
    daemon = await startDockerDaemon()
  }, 120_000)
  afterAll(() => daemon.stop(), 60_000)

  const connection = () => ({ host: daemon.host, ca: null, cert: null, key: null })
  const run = (task: string, more: object, signal = new AbortController().signal) =>
    handlers.run(task, { ...connection(), ...more }, createHandlerContext({ signal })) as Promise<
      Record<string, unknown>
    >
  const serve = ['httpd', '-f', '-p', '8080', '-h', '/']
  const create = (name: string, spec: object = {}, more: object = {}) =>
    run('create', {
      ...{ name, callId: `call-${name}`, pool: '21000-21099', login: null, ports: {} },
      spec: { image: daemon.image, command: ['sleep', '600'], ...spec },
      ...more,
    })
  const has = (name: string) => daemon.run('ps', '-a', '--format', '{{.Names}}').split('\n').includes(name)

  it('makes, starts, looks at, talks to, stops and removes a container', async () => {
    const made = await create('web', {
      command: serve,
      port_list: [8080],
      environment_map: { A: 'b c' },
      label_map: { x: 'y' },
      memory_size: 64,
      cpu_count: 0.5,
    })
    expect(made).toMatchObject({ ports: { '8080/tcp': 21000 } })
    expect(await run('state', { name: 'web' })).toMatchObject({
      state: 'stopped',
      status: 'created',
      call: 'call-web',
      exit_code: null,
    })
    expect(await run('start', { name: 'web', settleMs: 200 })).toEqual({ started: true })
    expect(await run('start', { name: 'web', settleMs: 0 })).toEqual({ started: false })
    const answer = await vi.waitFor(() => fetch('http://127.0.0.1:21000/bin/'), { timeout: 5000 })
    expect(answer.status).toBeGreaterThan(0)
    expect(
      await run('execute', { name: 'web', command: ['sh', '-c', 'echo $A; echo bad >&2; exit 3'], timeoutMs: 10_000 }),
    ).toEqual({
      ...{ rc: 3, output: expect.stringContaining('b c\n'), all: null },
    })
    expect(await run('state', { name: 'web' })).toMatchObject({ state: 'running', ports: { '8080/tcp': 21000 } })
    expect(await run('list', {})).toMatchObject({ containers: [{ name: 'web' }] })
    expect(await run('stop', { name: 'web', graceMs: 0 })).toEqual({ stopped: true })
    expect(await run('stop', { name: 'web', graceMs: 0 })).toEqual({ stopped: false })
    expect(await run('destroy', { name: 'web' })).toEqual({ destroyed: true })
    expect(await run('destroy', { name: 'web' })).toEqual({ destroyed: false })
    expect(await run('state', { name: 'web' })).toMatchObject({ state: 'gone', id: null })
  })

  it('makes one container for one call, however often it is asked, and refuses a second call and others’ containers', async () => {
    const [one, two] = await Promise.all([create('twin'), create('twin')])
    expect(one).toEqual(two)
    await expect(create('twin', {}, { callId: 'another' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    daemon.run('create', '--name', 'foreign', daemon.image, 'true')
    await expect(create('foreign')).rejects.toThrow("the container 'foreign' was not made by Contractor")
    await expect(run('destroy', { name: 'foreign' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(has('foreign')).toBe(true)
    daemon.run('rm', 'foreign')
    await run('destroy', { name: 'twin' })
  })

  it('gives each container ports of its own, and says when the pool is empty', async () => {
    const pool = { pool: '22000-22001' }
    expect(await create('p1', { port_list: [80] }, pool)).toMatchObject({ ports: { '80/tcp': 22000 } })
    expect(await create('p2', { port_list: [80] }, pool)).toMatchObject({ ports: { '80/tcp': 22001 } })
    await expect(create('p3', { port_list: [80] }, pool)).rejects.toMatchObject({ code: 'DEVICE_FULL' })
    await expect(create('p4', {}, { ports: { '80/tcp': 22001 } })).rejects.toThrow("is container 'p2'’s")
    for (const name of ['p1', 'p2']) await run('destroy', { name })
  })

  it('reads long outputs into an attachment', async () => {
    await create('talker', { command: ['seq', '1', '20000'], restart: 'no' })
    await run('start', { name: 'talker', settleMs: 500 }).catch(() => undefined)
    expect(await run('logs', { name: 'talker', tail: 2 })).toEqual({ output: '19999\n20000\n', all: null })
    expect(await run('logs', { name: 'talker', tail: 100_000 })).toMatchObject({
      all: { name: 'talker.log', sizeBytes: 108_894 },
    })
    await run('destroy', { name: 'talker' })
  })

  it('says what is wrong with a daemon that is not there, an image that is not, and a container that is gone', async () => {
    await expect(run('state', { name: 'a', host: 'unix:///nowhere/docker.sock' })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      retryable: true,
    })
    await expect(run('state', { name: 'a', host: `tcp://127.0.0.1:${await freePort()}` })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
    })
    await expect(run('start', { name: 'nobody', settleMs: 0 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining("no container 'nobody'"),
    })
    const port = await listen('127.0.0.1')
    await expect(run('list', { host: `tcp://127.0.0.1:${port}` })).rejects.toThrow()
  })

  /** A server that is none of Docker's. */
  async function listen(host: string): Promise<number> {
    const server = createServer((_request, response) => response.end('<html>a proxy</html>'))
    onTestFinished(() => void server.close())
    await new Promise<void>(resolve => server.listen(0, host, resolve))
    return (server.address() as AddressInfo).port
  }

  /** A registry on loopback, with the busybox image in it, and one more layer. */
  async function startRegistry(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'registry-'))
    const port = await freePort()
    writeFileSync(
      join(folder, 'config.yml'),
      `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${folder}/data\nhttp:\n  addr: 127.0.0.1:${port}\n`,
    )
    const registry = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
    onTestFinished(() => {
      registry.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    const name = `127.0.0.1:${port}`
    await vi.waitFor(() => fetch(`http://${name}/v2/`), { timeout: 10_000 })
    daemon.run('run', '--name', 'layer', daemon.image, 'touch', '/tmp/layer')
    daemon.run('commit', 'layer', `${name}/box:1`)
    daemon.run('rm', 'layer')
    daemon.run('push', `${name}/box:1`)
    daemon.run('rmi', `${name}/box:1`)
    return name
  }

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'pull-fails-in-its-stream'() {
      const registry = await startRegistry()
      const percents: number[] = []
      const context = createHandlerContext({ progress: percent => void percents.push(percent) })
      const image = `${registry}/box:1`
      expect(await handlers.run('pull', { ...connection(), image, login: null }, context)).toMatchObject({
        isNew: true,
      })
      expect(percents.at(-1)).toBe(100)
      expect(await run('pull', { image, login: null })).toMatchObject({ isNew: false })
      await expect(run('pull', { image: `${registry}/box:2`, login: null })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      })
      await expect(run('pull', { image: `127.0.0.1:1/box:1`, login: null })).rejects.toThrow(/refused|cannot be pulled/)
      daemon.run('rmi', image)
    },
    async 'start-with-a-taken-port'() {
      const port = await listen('0.0.0.0')
      await create('late', {}, { ports: { '80/tcp': port } })
      await expect(run('start', { name: 'late', settleMs: 100 })).rejects.toMatchObject({
        ...{
          code: 'DEVICE_REFUSED',
          message: expect.stringMatching(/address already in use|already allocated|without its port/),
        },
      })
      expect(await run('state', { name: 'late' })).toMatchObject({ state: 'stopped' })
      await run('destroy', { name: 'late' })
    },
    async 'ends-at-once'() {
      await create('brief', { command: ['sh', '-c', 'echo no such file; exit 7'], restart: 'no' })
      await expect(run('start', { name: 'brief', settleMs: 800 })).rejects.toThrow(
        /has ended with 7, and wrote: no such file/,
      )
      await run('destroy', { name: 'brief' })
    },
    async 'failed-create-leaves-a-husk'() {
      await expect(create('husk', { network: 'no-such-network' })).resolves.toBeDefined()
      await expect(run('start', { name: 'husk', settleMs: 0 })).rejects.toThrow('no-such-network')
      // The repeated call finds what it has made, and destroy removes it.
      expect(await create('husk', { network: 'no-such-network' })).toMatchObject({ id: expect.any(String) })
      expect(await run('destroy', { name: 'husk' })).toEqual({ destroyed: true })
      await expect(create('husk', { image: 'no-such-image:1' })).rejects.toThrow()
      expect(has('husk')).toBe(false)
    },
    async 'stopped-is-not-gone'() {
      await create('ended', { command: ['true'], restart: 'no' })
      await run('start', { name: 'ended', settleMs: 500 }).catch(() => undefined)
      expect(await run('state', { name: 'ended' })).toMatchObject({ state: 'stopped', status: 'exited', exit_code: 0 })
      await run('destroy', { name: 'ended' })
    },
    async 'grace-longer-than-the-client'() {
      await create('slow', { command: ['sh', '-c', 'trap "sleep 3; exit 0" TERM; while true; do sleep 0.1; done'] })
      await run('start', { name: 'slow', settleMs: 100 })
      const begun = performance.now()
      expect(await run('stop', { name: 'slow', graceMs: 30_000 })).toEqual({ stopped: true })
      expect(performance.now() - begun).toBeGreaterThan(2500)
      expect(await run('state', { name: 'slow' })).toMatchObject({ exit_code: 0 })
      await run('destroy', { name: 'slow' })
    },
    async 'digest-has-no-tag'() {
      const registry = await startRegistry()
      const { id } = await run('pull', { image: `${registry}/box:1`, login: null })
      const digests = daemon
        .run('image', 'inspect', '--format', '{{join .RepoDigests " "}}', String(id))
        .trim()
        .split(' ')
      const digest = digests.find(one => one.startsWith(registry)) ?? ''
      daemon.run('rmi', `${registry}/box:1`)
      expect(await run('pull', { image: digest, login: null })).toMatchObject({ id })
      // Not pulled again though the registry is away: it is there under the name that it was asked for by.
      await create('pinned', { image: digest })
      await run('destroy', { name: 'pinned' })
      daemon.run('rmi', digest)
    },
  }

  describe('what daemons do that surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it('goes through server and agent from create to destroy: two containers of a service, each with a port of its own', async () => {
    const rig = await openRig({
      plugins: [docker, iputils],
      handlers: [handlers, iputilsHandlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    await contractor.complexes.create({
      name: 'docker1',
      site: 'lab',
      type: 'Docker',
      fields: { docker_host: daemon.host, docker_ports: '23000-23009' },
    })
    await contractor.blueprints.put({
      ...{ kind: 'structure', name: 'web', parents: ['docker-service'] },
      configValues: { docker_image: daemon.image, docker_command: serve, port_list: [8080], docker_restart: 'no' },
    })
    const names = ['web01', 'web02']
    for (const name of names) {
      await contractor.foundations.create({
        locator: name,
        type: 'Docker',
        site: 'lab',
        blueprint: 'docker-container-base',
        complex: 'docker1',
      })
      await contractor.structures.create({ hostname: name, site: 'lab', blueprint: 'web', foundation: name })
    }
    const structures = (await contractor.structures.list({})).items
    await Promise.all(
      structures.map(async ({ id, foundation }) => {
        await rig.finish(contractor.foundations.doCreate(foundation))
        await rig.finish(contractor.structures.doCreate(id))
      }),
    )
    const ports = await Promise.all(
      structures.map(async ({ id }) => (await contractor.structures.config(id)).docker_check_port as number),
    )
    expect(new Set(ports).size).toBe(2)
    for (const port of ports) expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeGreaterThan(0)
    expect(await contractor.foundations.read('web01')).toMatchObject({ exists: true, differences: [] })
    daemon.run('rm', '-f', 'web02')
    expect(await contractor.foundations.read('web02')).toMatchObject({ exists: false })
    for (const { id, foundation } of structures) {
      if (foundation === 'web01') await rig.finish(contractor.structures.doDestroy(id))
      else await contractor.structures.setDestroyed(id)
      await rig.finish(contractor.foundations.doDestroy(foundation))
      expect(has(foundation)).toBe(false)
    }
    expect((await contractor.foundations.get('web01')).fields).toEqual({})
  })
})
