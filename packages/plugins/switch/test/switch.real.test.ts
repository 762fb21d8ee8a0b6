import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { startSshd } from '../../../../test/sshd.ts'
import { handlers } from '../src/handlers/index.ts'
import { mib } from '../src/handlers/mib.ts'
import { quirks } from '../src/quirks.ts'
import { networkSwitch } from '../src/switch.ts'

const missing = spawnSync('snmpd', ['-v']).error !== undefined || !existsSync('/usr/sbin/sshd')
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'

interface Tree {
  variables: Record<string, [string, string]>
  deaf: boolean
}

/** Three ports whose numbers differ: interfaces 101 to 103, bridge ports 1, 2 and 11, and 7 to 9 for LLDP. */
const ports = [
  { index: 101, bridge: 1, lldp: 7, short: 'Gi1', long: 'GigabitEthernet1' },
  { index: 102, bridge: 2, lldp: 8, short: 'Gi2', long: 'GigabitEthernet2' },
  { index: 103, bridge: 11, lldp: 9, short: 'Gi3', long: 'GigabitEthernet3' },
]

function newTree(): Tree {
  const variables: Tree['variables'] = {
    [mib.sysDescr]: ['string', 'A switch'],
    [mib.sysName]: ['string', 'sw1'],
    [`${mib.dot1qVlanStaticName}.1`]: ['string', 'default'],
    [`${mib.dot1qVlanStaticEgressPorts}.1`]: ['octet', 'C0 20'],
    [`${mib.dot1qVlanStaticUntaggedPorts}.1`]: ['octet', 'C0 20'],
    [`${mib.dot1qVlanStaticRowStatus}.1`]: ['integer', '1'],
    [`${mib.dot1qTpFdbPort}.5.2.0.0.0.0.17`]: ['integer', '11'],
    [`${mib.dot1qVlanFdbId}.0.1`]: ['gauge', '5'],
    [`${mib.lldpRemChassisId}.0.9.1`]: ['octet', '02 00 00 00 00 11'],
    [`${mib.lldpRemPortId}.0.9.1`]: ['string', 'eth0'],
    [`${mib.lldpRemPortDesc}.0.9.1`]: ['string', 'first port'],
    [`${mib.lldpRemSysName}.0.9.1`]: ['string', 'web01'],
  }
  for (const { index, bridge, lldp, short, long } of ports) {
    variables[`${mib.ifDescr}.${index}`] = ['string', long]
    variables[`${mib.ifPhysAddress}.${index}`] = ['octet', `02 00 00 00 01 0${bridge % 10}`]
    variables[`${mib.ifAdminStatus}.${index}`] = ['integer', '1']
    variables[`${mib.ifOperStatus}.${index}`] = ['integer', index === 103 ? '1' : '2']
    variables[`${mib.ifName}.${index}`] = ['string', short]
    variables[`${mib.ifHighSpeed}.${index}`] = ['gauge', '1000']
    variables[`${mib.ifAlias}.${index}`] = ['string', '']
    variables[`${mib.dot1dBasePortIfIndex}.${bridge}`] = ['integer', String(index)]
    variables[`${mib.dot1qPvid}.${bridge}`] = ['gauge', '1']
    variables[`${mib.lldpLocPortId}.${lldp}`] = ['string', short]
    variables[`${mib.lldpLocPortDesc}.${lldp}`] = ['string', long]
  }
  return { variables, deaf: false }
}

async function startSwitch() {
  const folder = mkdtempSync(join(tmpdir(), 'switch-'))
  const file = join(folder, 'tree.json')
  writeFileSync(file, JSON.stringify(newTree()))
  const program = join(import.meta.dirname, 'switch-agent.mjs')
  chmodSync(program, 0o755)
  const port = await freePort()
  const roots = ['1.3.6.1.2.1', '1.0.8802']
  const ask = `${process.execPath} ${program} ${file}`
  // Only what is unknown there can be made: so this tells of no row, and takes what is set.
  const make = join(folder, 'make')
  writeFileSync(make, `#!/bin/sh\n[ "$1" != -s ] || exec ${ask} "$@"\n`)
  chmodSync(make, 0o755)
  const pass = [...roots.map(root => `pass_persist .${root} ${ask}`), `pass .${mib.dot1qVlanStaticRowStatus} ${make}`]
  writeFileSync(join(folder, 'snmpd.conf'), ['rocommunity public', 'rwcommunity private', ...pass, ''].join('\n'))
  // Without the machine's own interfaces: those are a switch's here.
  const modules = 'pass,pass_persist,vacm_conf,vacm_vars,usmConf,usmUser,snmpEngine'
  const own = ['-C', '-c', join(folder, 'snmpd.conf'), '-p', join(folder, 'pid'), '-I', modules]
  const server = spawn('snmpd', ['-f', '-Lo', ...own, `udp:127.0.0.1:${port}`], {
    ...({ stdio: 'ignore' } as const),
    env: { ...process.env, SNMP_PERSISTENT_DIR: folder },
  })
  onTestFinished(() => {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const login = { host: '127.0.0.1', port, protocol: 'SNMPv2c', community: 'private' }
  const run = (task: string, more: object = {}) =>
    handlers.run(task, { ...login, ...more }, createHandlerContext()) as Promise<Record<string, unknown>>
  await vi.waitFor(() => run('look'), { timeout: 20_000 })
  const change = (edit: (tree: Tree) => void) => {
    const tree = JSON.parse(readFileSync(file, 'utf8')) as Tree
    edit(tree)
    writeFileSync(file, JSON.stringify(tree))
  }
  return { port, folder, run, change }
}

/** A command line that is logged in to by SSH. */
async function startTerminal(folder: string) {
  const file = join(folder, 'running-config')
  writeFileSync(file, 'hostname sw1\nvlan 1\n')
  const program = join(import.meta.dirname, 'switch-cli.mjs')
  const server = await startSshd({ command: `${process.execPath} ${program} ${file}` })
  onTestFinished(() => server.stop())
  const terminal = {
    ...{ host: '127.0.0.1', port: server.port, username: server.username, model: 'ios' },
    ...{ private_key: server.privateKey, host_key: server.fingerprint },
  }
  const run = (task: string, more: object = {}) =>
    handlers.run(task, { ...terminal, ...more }, createHandlerContext()) as Promise<Record<string, unknown>>
  return { file, server, run, configured: () => readFileSync(file, 'utf8').trim().split('\n') }
}

describe.skipIf(missing && !required)(
  'switches (needs snmpd and sshd, of packages snmpd and openssh-server)',
  { timeout: 120_000 },
  () => {
    it('show their ports, switch them on and off, and describe them', async () => {
      const { run } = await startSwitch()
      expect(await run('look')).toMatchObject({
        ...{ name: 'sw1', description: 'A switch' },
        ports: [
          { name: 'Gi1', description: '', up: true, link: false, speed: 1000, mac: '02:00:00:00:01:01' },
          { name: 'Gi2' },
          { name: 'Gi3', link: true },
        ],
      })
      const set = { interface: 'Gi2', up: false, description: null }
      expect(await run('set_port', set)).toEqual({ changed: true })
      expect(await run('set_port', set)).toEqual({ changed: false })
      expect(await run('set_port', { interface: 'Gi2', up: null, description: 'web01' })).toEqual({ changed: true })
      expect(await run('look')).toMatchObject({ ports: [{ up: true }, { up: false, description: 'web01' }, {}] })
    })

    it('make VLANs, and put ports into them and out of others', async () => {
      const { run } = await startSwitch()
      expect(await run('set_vlan', { vlan: 7, name: 'lab' })).toEqual({ changed: true })
      expect(await run('set_vlan', { vlan: 7, name: 'lab' })).toEqual({ changed: false })
      await run('set_vlan', { vlan: 8, name: 'storage' })
      expect(await run('set_port_vlans', { interface: 'Gi1', untagged: 7, tagged: [8] })).toEqual({ changed: true })
      expect(await run('set_port_vlans', { interface: 'Gi1', untagged: 7, tagged: [8] })).toEqual({ changed: false })
      expect(await run('read_vlans')).toEqual({
        vlans: [
          { vlan: 1, name: 'default' },
          { vlan: 7, name: 'lab' },
          { vlan: 8, name: 'storage' },
        ],
        ports: [
          { port: 'Gi1', untagged: 7, tagged: [8] },
          { port: 'Gi2', untagged: 1, tagged: [] },
          { port: 'Gi3', untagged: 1, tagged: [] },
        ],
      })
      // What is not given stays.
      await run('set_port_vlans', { interface: 'Gi1', untagged: 1, tagged: null })
      expect(await run('read_vlans')).toMatchObject({ ports: [{ port: 'Gi1', untagged: 1, tagged: [8] }, {}, {}] })
      await run('set_port_vlans', { interface: 'Gi1', untagged: null, tagged: [] })
      expect(await run('set_vlan', { vlan: 8, name: null })).toEqual({ changed: true })
      expect(await run('set_vlan', { vlan: 8, name: null })).toEqual({ changed: false })
    })

    it('have their configuration read and changed by SSH', async () => {
      const { folder } = await startSwitch()
      const { run, configured, file } = await startTerminal(folder)
      expect(await run('read_configuration')).toEqual({ text: 'hostname sw1\nvlan 1\n', all: null })
      const lines = ['vlan 7', 'interface Gi1', 'description web01', 'exit']
      expect(await run('configure', { lines, save: false })).toEqual({ output: expect.stringContaining('vlan 7') })
      expect(configured()).toEqual(['hostname sw1', 'vlan 1', 'vlan 7', 'interface Gi1', 'description web01'])
      expect(existsSync(`${file}.saved`)).toBe(false)
      await run('configure', { lines: ['no vlan 7'], save: true })
      expect(readFileSync(`${file}.saved`, 'utf8')).not.toContain('vlan 7')
    })

    const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
      async 'two-names'() {
        const { run } = await startSwitch()
        const off = { up: false, description: null }
        expect(await run('set_port', { interface: 'gigabitethernet1', ...off })).toEqual({ changed: true })
        expect(await run('set_port', { interface: 'gi1', ...off })).toEqual({ changed: false })
        await expect(run('set_port', { interface: 'Gi9', ...off })).rejects.toMatchObject({
          ...{ code: 'NOT_FOUND', message: expect.stringContaining("no port 'Gi9': it has Gi1, Gi2, Gi3") },
        })
      },
      async 'takes-and-does-nothing'() {
        const { run, change } = await startSwitch()
        change(tree => {
          tree.deaf = true
        })
        for (const [task, more] of [
          ['set_port', { interface: 'Gi1', up: false, description: null }],
          ['set_vlan', { vlan: 1, name: 'other' }],
          ['set_vlan', { vlan: 7, name: 'lab' }],
        ] as const)
          await expect(run(task, more)).rejects.toMatchObject({
            ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('has not made it') },
          })
      },
      async 'short-bitmaps'() {
        const { run } = await startSwitch()
        await run('set_vlan', { vlan: 7, name: 'lab' })
        await run('set_port_vlans', { interface: 'Gi3', untagged: 7, tagged: null })
        expect(await run('read_vlans')).toMatchObject({ ports: [{}, {}, { port: 'Gi3', untagged: 7 }] })
      },
      async 'bridge-ports-are-not-interfaces'() {
        const { run, change } = await startSwitch()
        expect(await run('read_macs')).toEqual({ macs: [{ mac: '02:00:00:00:00:11', port: 'Gi3', vlan: 1 }] })
        change(({ variables }) => void delete variables[`${mib.dot1dBasePortIfIndex}.11`])
        expect(await run('read_macs')).toEqual({ macs: [] })
        const moved = { interface: 'Gi3', untagged: 1, tagged: null }
        await expect(run('set_port_vlans', moved)).rejects.toThrow('port Gi3 is in no bridge')
      },
      async 'no-table-of-vlans'() {
        const { run, change } = await startSwitch()
        change(({ variables }) => {
          delete variables[`${mib.dot1qTpFdbPort}.5.2.0.0.0.0.17`]
          variables[`${mib.dot1dTpFdbPort}.2.0.0.0.0.18`] = ['integer', '2']
        })
        expect(await run('read_macs')).toEqual({ macs: [{ mac: '02:00:00:00:00:12', port: 'Gi2', vlan: null }] })
      },
      async 'lldp-in-another-order'() {
        const { run, change } = await startSwitch()
        const found = { name: 'web01', chassis: '02:00:00:00:00:11', neighbour_port: 'eth0', description: 'first port' }
        expect(await run('read_neighbours')).toEqual({ neighbours: [{ port: 'Gi3', ...found }] })
        change(({ variables }) => {
          variables[`${mib.lldpLocPortId}.9`] = ['octet', '02 00 00 00 01 01']
        })
        expect(await run('read_neighbours')).toEqual({ neighbours: [{ port: 'Gi3', ...found }] })
      },
      async 'vlan-in-use'() {
        const { run } = await startSwitch()
        await expect(run('set_vlan', { vlan: 1, name: null })).rejects.toThrow(
          'ports are in VLAN 1: take Gi1, Gi2, Gi3 out first',
        )
      },
      async 'error-within-the-text'() {
        const { folder } = await startSwitch()
        const { run, file } = await startTerminal(folder)
        await expect(run('configure', { lines: ['vlan 7', 'vlam 8'], save: true })).rejects.toMatchObject({
          ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining("% Invalid input detected at '^' marker.") },
        })
        expect(existsSync(`${file}.saved`)).toBe(false)
        writeFileSync(`${file}.polite`, '')
        await expect(run('read_configuration', { model: 'junos' })).rejects.toMatchObject({
          ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining('syntax error') },
        })
      },
    }
    describe('with what surprises', () => {
      it.each(quirks)('$name: $does', ({ name }) => laws[name]())
    })

    it('say what is wrong: a VLAN that there is not, a community that may not write, nobody there, another host key', async () => {
      const { run, folder } = await startSwitch()
      await expect(run('set_port_vlans', { interface: 'Gi1', untagged: 9, tagged: null })).rejects.toMatchObject({
        ...{ code: 'NOT_FOUND', message: expect.stringContaining('no VLAN 9: make it with create_vlan') },
      })
      const off = { interface: 'Gi1', up: false, description: null }
      await expect(run('set_port', { ...off, community: 'public' })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
      await expect(run('look', { port: await freePort() })).rejects.toMatchObject({
        ...{ code: 'DEVICE_UNREACHABLE', retryable: true },
      })
      const { run: type } = await startTerminal(folder)
      await expect(type('read_configuration', { host_key: `SHA256:${'A'.repeat(43)}` })).rejects.toMatchObject({
        ...{ code: 'DEVICE_UNTRUSTED', retryable: false },
      })
    })

    it('go through server and agent: looked at, changed by scripts, and their configuration read', async () => {
      const { port, folder } = await startSwitch()
      const { server, configured } = await startTerminal(folder)
      const rig = await openRig({
        plugins: [networkSwitch],
        handlers: [handlers],
        resources: [join(import.meta.dirname, '../resources.toml')],
      })
      const { contractor, run, finish } = rig
      await contractor.foundations.create({
        ...{ locator: 'sw1', type: 'Switch', site: 'lab', blueprint: 'switch-base' },
        fields: {
          ...{ switch_ip_address: '127.0.0.1', switch_snmp_port: port, switch_community: 'private' },
          ...{ switch_model: 'ios', switch_ssh_port: server.port, switch_username: server.username },
          ...{ switch_private_key: server.privateKey, switch_host_key: server.fingerprint },
        },
      })
      await contractor.foundations.setLocated('sw1')
      await finish(contractor.foundations.doCreate('sw1'))
      const source = `
foundation.create_vlan( vlan=7, name='lab' )
foundation.set_vlan( port='Gi1', untagged=7 )
foundation.port_down( port='Gi2' )
neighbours = foundation.neighbours()
found = neighbours[ 0 ]
foundation.set_description( port=found[ 'port' ], description=found[ 'name' ] )
foundation.configure( lines=[ 'vlan 7', 'hostname sw2' ] )
`
      await finish(run('sw1', source))
      expect(await contractor.foundations.read('sw1')).toMatchObject({
        details: { ports: [{ up: true }, { up: false }, { description: 'web01' }] },
      })
      expect(configured()).toContain('hostname sw2')
      await finish(contractor.foundations.doJob('sw1', 'save_configuration'))
      const seen = JSON.stringify([await contractor.foundations.get('sw1'), rig.lines])
      expect(seen).not.toContain('PRIVATE KEY')
    })
  },
)
