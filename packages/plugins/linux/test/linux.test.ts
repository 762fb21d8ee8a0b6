import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkResources, createContractor } from '@contractor/core'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { docker } from '@contractor/plugin-docker'
import { iputils } from '@contractor/plugin-iputils'
import { libvirt } from '@contractor/plugin-libvirt'
import { manual } from '@contractor/plugin-manual'
import { describe, expect, it, onTestFinished } from 'vitest'
import { handlers } from '../src/handlers/index.ts'
import { linux } from '../src/linux.ts'

const config = { ssh_host: '10.0.0.7', ssh_password: 'geheim', ssh_host_key: 'any' }
const changes = [{ changed: true }, { changed: false }]
const file = { path: '/etc/motd', content: 'x' }

describe('the laws of plugins', () => {
  const laws = pluginLaws(linux, handlers, {
    config,
    args: {
      install: [{ package_list: ['nginx-light'] }],
      configure: [
        { files: [file], service: 'nginx', check: 'nginx -t', reload: true, log: '/var/log/nginx/error.log' },
        { name: 'apt', files: [{ folder: '/etc/apt/sources.list.d', contents: { 'a.sources': 'x' } }] },
      ],
      unconfigure: [{}, { name: 'apt' }],
      service: [{ name: 'nginx', state: 'restarted' }],
      run: [{ command: 'true', user: 'www-data' }],
      wait_for: [{ command: 'docker version', timeout: 0 }],
    },
    replies: {
      look: [{ system: 'debian', version: '12', init: 'systemd', user: 'root' }],
      install: [{ installed: ['nginx-light'] }, { installed: [] }],
      configure: [
        { changed: true, isNew: true },
        { changed: false, isNew: false },
      ],
      unconfigure: changes,
      service: changes,
      run: [{ output: 'x' }],
      probe: [
        { good: true, output: 'x' },
        { good: false, output: 'no' },
      ],
    },
    abortable: { look: { host: '127.0.0.1', port: 9, username: 'root' } },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

/** What a call asks of an agent, or why it is none. */
function begin(name: string, args: object, values: object = config) {
  const called = linux.functions[name]
  if (!called) throw new Error(`there is no function ${name}`)
  const context = createFunctionContext({ config: values as never })
  const state = called.start(called.args.parse(args) as never, context)
  return called.request?.(called.state.parse(state) as never)?.params as Record<string, unknown>
}

describe('who logs in where', () => {
  it('is said by the config, also in texts, as templates give them', () => {
    expect(begin('wait_for_login', {}, { ...config, ssh_port: '2222', ssh_username: 'admin' })).toMatchObject({
      ...{ host: '10.0.0.7', port: 2222, username: 'admin', password: 'geheim', private_key: null, host_key: 'any' },
    })
    expect(begin('wait_for_login', {}, { ...config, ssh_jump: { host: 'gate', username: 'me' } })).toMatchObject({
      jump: { host: 'gate', port: 22, username: 'me' },
    })
  })

  it.each([
    [{}, 'ssh_host'],
    [{ ...config, ssh_host: '-oProxyCommand=x' }, 'ssh_host'],
    [{ ...config, ssh_port: 'ssh' }, 'ssh_port'],
    [{ ...config, ssh_port: 0 }, 'ssh_port'],
    [{ ...config, ssh_username: '-l' }, 'ssh_username'],
    [{ ...config, ssh_host_key: 'MD5:aa' }, 'ssh_host_key'],
    [{ ...config, ssh_jump: 'gate' }, 'ssh_jump'],
  ])('%j: the failure names the config value', (values, named) => {
    expect(() => begin('wait_for_login', {}, values)).toThrow(`does not say how the machine is reached: ${named}:`)
  })
})

describe('files', () => {
  it('of a folder are one by one, with all that is said of the folder', () => {
    const files = [file, { folder: '/etc/bind/zones', contents: { a: '1', 'b/c': '2' }, serial: '@S@', mode: '0640' }]
    expect(begin('configure', { files }).files).toEqual([
      { ...file, mode: '0644', serial: null },
      { path: '/etc/bind/zones/a', content: '1', mode: '0640', serial: '@S@' },
      { path: '/etc/bind/zones/b/c', content: '2', mode: '0640', serial: '@S@' },
    ])
  })

  it.each([
    [[{ path: 'etc/motd', content: 'x' }]],
    [[{ path: '/etc/../root/x', content: 'x' }]],
    [[{ path: '/etc/a b', content: 'x' }]],
    [[{ path: '/etc/motd' }]],
    [[{ path: '/etc/motd', content: 'x', mode: 'rw' }]],
    [[{ path: '/etc/motd', content: 'x', owner: 'me' }]],
    [[{ folder: '/srv', contents: { '../etc/passwd': 'x' } }]],
    [[{ folder: '/srv', contents: { '': 'x' } }]],
    [[file, { folder: '/etc', contents: { motd: 'y' } }]],
  ])('%j are refused', files => {
    expect(() => begin('configure', { files })).toThrow()
  })

  it.each([
    ['install', { package_list: ['-o', 'x'] }],
    ['install', { package_list: ['nginx; rm -rf /'] }],
    ['configure', { files: [], name: '../etc' }],
    ['configure', { files: [], service: 'a b' }],
    ['service', { name: 'nginx', state: 'up' }],
    ['run', { command: 'true', user: 'root; id' }],
  ] as const)('%s with %j is refused', (name, args) => {
    expect(() => begin(name, args)).toThrow()
  })
})

describe('resources.toml', () => {
  const path = join(import.meta.dirname, '../resources.toml')
  const names = [...readFileSync(path, 'utf8').matchAll(/^\[structure\.([a-z-]+)\]$/gm)].map(found => found[1] ?? '')
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

  it('loads, and every script runs on what it is for', async () => {
    const check = await checkResources(path, { plugins: [linux, iputils, docker, libvirt] })
    expect(check.files).toEqual([
      { file: path, counts: { structure: 8, foundation: 0, script: 9, pxe: 1, sflinks: 0 } },
    ])
    expect(check.scripts.flatMap(({ name, errors }) => errors.map(error => `${name}: ${error}`))).toEqual([])
    expect(check.missing).toEqual([])
  })

  it('has what the README says of each Structure', () => {
    expect(names.filter(name => !readme.includes(`\`${name}\``))).toEqual([])
  })

  /** Structures of all BluePrints, and of those that the README shows, on machines and on containers. */
  async function openTown() {
    const contractor = await createContractor({ database: 'memory:', plugins: [linux, iputils, docker, manual] })
    onTestFinished(() => contractor.close())
    const shown = [...readme.matchAll(/```toml\n(.*?)```/gs)].map(found => found[1]).join('\n')
    await contractor.resources.load([path])
    await contractor.resources.loadText(shown, 'README.toml')
    await contractor.resources.loadText('[foundation.base]\n', 'base.toml')
    await contractor.sites.create({ name: 'lab' })
    await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
    await contractor.complexes.create({ name: 'docker1', site: 'lab', type: 'Docker' })
    const all = [...names, ...[...shown.matchAll(/^\[structure\.([a-z-]+)\]$/gm)].map(found => found[1] ?? '')]
    for (const [at, blueprint] of all.entries()) {
      const machine = `${blueprint}-m`
      await contractor.foundations.create({ type: 'Manual', locator: machine, site: 'lab', blueprint: 'base' })
      await contractor.interfaces.create({ kind: 'real', foundation: machine, name: 'eth0' })
      const one = await contractor.structures.create({ hostname: machine, site: 'lab', blueprint, foundation: machine })
      await contractor.addresses.create({
        kind: 'static',
        structure: one.id,
        interface: 'eth0',
        ip: `10.0.0.${at + 1}`,
      })
      const ports = Object.fromEntries(['22/tcp', '80/tcp', '8080/tcp', '53/udp'].map((port, n) => [port, 20_000 + n]))
      const container = `${blueprint}-c`
      await contractor.foundations.create({
        ...{ type: 'Docker', locator: container, site: 'lab', blueprint: 'base', complex: 'docker1' },
        fields: { docker_port_map: ports },
      })
      await contractor.structures.create({ hostname: container, site: 'lab', blueprint, foundation: container })
    }
    return { contractor, all }
  }

  it('has templates that render, on a machine and in a container, and so do the examples of the README', async () => {
    const { contractor, all } = await openTown()
    expect(all).toHaveLength(names.length + 4)
    const configs = await contractor.structures.configs({})
    expect(configs.flatMap(one => ('error' in one ? [`${one.hostname}: ${one.error?.message}`] : []))).toEqual([])
    expect(configs).toHaveLength(2 * all.length)
    const found = (hostname: string) => configs.find(one => one.hostname === hostname) as unknown as { values: object }
    expect(found('web-server-m')).toMatchObject({
      values: { ssh_host: '10.0.0.3', ssh_port: 22, machine_start: 'none', check_url: 'http://10.0.0.3:80/' },
    })
    expect(found('web-server-c')).toMatchObject({
      ...{
        values: {
          ssh_host: '127.0.0.1',
          ssh_port: '20000',
          machine_start: 'start',
          check_url: 'http://127.0.0.1:20001/',
        },
      },
    })
    expect(found('cache-m')).toMatchObject({ values: { package_list: ['redis-server'], check_port: 6379 } })
  })
})
