import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidOf } from '@contractor/driver/uuid'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { handlers } from '../src/handlers/index.ts'
import { libvirt } from '../src/libvirt.ts'
import { machineSpec } from '../src/machine-spec.ts'
import { quirks } from '../src/quirks.ts'
import { isMissing, type Libvirtd, putShim, startLibvirtd } from './libvirtd.ts'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const eth0 = { name: 'eth0', physical_location: 'eth0', network: null, mac: null }
const small = { memory_size: 512, disk_size: 1, domain_type: 'qemu', network_type: 'user' }

describe.skipIf(isMissing && !required)(
  'libvirt with QEMU (needs packages libvirt-daemon, libvirt-clients, qemu-system-x86, ovmf)',
  { timeout: 120_000 },
  () => {
    let daemon: Libvirtd
    let fault: (match: string, what: string) => void
    beforeAll(async () => {
      daemon = await startLibvirtd()
      fault = putShim(daemon.folder)
    }, 120_000)
    afterAll(async () => {
      vi.unstubAllEnvs()
      await daemon?.stop()
    })
    afterEach(() => {
      for (const name of daemon.virsh('list', '--all', '--name').split('\n').filter(Boolean)) {
        if (daemon.virsh('domstate', name).trim() !== 'shut off') daemon.virsh('destroy', name)
        daemon.virsh('undefine', name, '--nvram', '--managed-save', '--snapshots-metadata')
      }
      for (const line of daemon.virsh('vol-list', 'default').split('\n').filter(Boolean))
        daemon.virsh('vol-delete', line.trim().split(/\s+/)[0] as string, '--pool', 'default')
    })

    const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
      handlers.run(
        task,
        { uri: daemon.uri, pool: 'default', name: 'web01', id: null, ...more },
        createHandlerContext({ signal }),
      )
    const create = (spec: object = {}, more: object = {}) =>
      run('create', {
        ...{ spec: machineSpec.parse({ ...small, ...spec }), interface_list: [eth0], callId: 'call-1', ...more },
      })
    const volumes = () =>
      daemon
        .virsh('vol-list', 'default')
        .split('\n')
        .filter(Boolean)
        .map(line => line.trim().split(/\s+/)[0])
    const machines = () => daemon.virsh('list', '--all', '--name').split('\n').filter(Boolean)

    it('makes a machine, tells its MACs, switches it, looks at it, and removes it', async () => {
      const made = await create({
        cpu_count: 2,
        disk_list: [
          { name: 'sda', size: 1 },
          { name: 'sdb', size: 2 },
        ],
      })
      const { interface_map } = made as { interface_map: Record<string, string> }
      expect(made).toEqual({ id: uuidOf('call-1'), interface_map: { eth0: expect.stringMatching(/^52:54:00/) } })
      expect(await run('interfaces')).toEqual({ interface_list: [interface_map.eth0] })
      expect(volumes()).toEqual(['web01-sda.qcow2', 'web01-sdb.qcow2'])
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
      expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'on', sent: true })
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      expect(await run('look')).toMatchObject({
        ...{ state: 'on', id: uuidOf('call-1') },
        details: { name: 'web01', cpu_count: 2, memory_size: 512 },
      })
      expect(await run('list')).toEqual({ machines: [{ name: 'web01', id: uuidOf('call-1') }] })
      expect(await run('destroy', { callId: 'another' })).toEqual({ destroyed: false })
      expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
      expect(await run('destroy', { callId: null })).toEqual({ destroyed: false })
      expect([...volumes(), ...machines()]).toEqual([])
    })

    it('begins a disk as a copy of an image, and puts ISOs into the drive', async () => {
      daemon.virsh('vol-create-as', 'default', 'image.qcow2', '10MiB', '--format', 'qcow2')
      const iso = join(daemon.folder, 'pool', 'debian.iso')
      await create({ image: 'image.qcow2' })
      expect(daemon.virsh('vol-info', 'web01-sda.qcow2', '--pool', 'default')).toMatch(/Capacity:\s+1\.00 GiB/)
      writeFileSync(iso, 'x'.repeat(1 << 20))
      expect(await run('set_iso', { iso })).toEqual({ changed: true })
      expect(await run('set_iso', { iso })).toEqual({ changed: false })
      expect(await run('set_iso', { iso: null })).toEqual({ changed: true })
      await run('destroy', { callId: null })
      expect(volumes()).toEqual(['image.qcow2'])
    })

    it('takes snapshots, goes back to them, and removes them', async () => {
      await create()
      expect(await run('snapshot_list')).toEqual({ snapshots: [] })
      expect(await run('snapshot_create', { snapshot: 'first' })).toEqual({ created: true })
      expect(await run('snapshot_create', { snapshot: 'first' })).toEqual({ created: false })
      await run('snapshot_create', { snapshot: 'second' })
      expect(await run('snapshot_list')).toMatchObject({ snapshots: [{ name: 'first' }, { name: 'second' }] })
      await run('snapshot_restore', { snapshot: 'first' })
      await expect(run('snapshot_restore', { snapshot: 'third' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await run('snapshot_delete', { snapshot: 'first' })).toEqual({ deleted: true })
      expect(await run('snapshot_delete', { snapshot: 'first' })).toEqual({ deleted: false })
      await run('set_power', { action: 'on' })
      await expect(run('snapshot_restore', { snapshot: 'second' })).rejects.toThrow('switch it off before')
    })

    const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
      async 'undefine-keeps-nvram'() {
        await create({ firmware: 'efi' })
        await run('set_power', { action: 'on' })
        await run('set_power', { action: 'off' })
        expect(() => daemon.virsh('undefine', 'web01')).toThrow('nvram')
        expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
      },
      async 'volumes-outlive-the-machine'() {
        await create()
        // Its answer is lost after the disks have gone.
        fault('undefine', 'kill -9 $$')
        await expect(run('destroy', { callId: null })).rejects.toThrow()
        expect(machines()).toEqual(['web01'])
        expect(volumes()).toEqual([])
        expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
      },
      async 'state-change-lock'() {
        await create()
        const words = 'Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatch)'
        fault('start', `echo "error: Failed to start domain" >&2; echo "error: ${words}" >&2; exit 1`)
        await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
        expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
        const target = { uri: daemon.uri, pool: 'default', name: 'web01', id: null }
        expect(libvirt.tasks.set_power.limitOf({ ...target, action: 'on' })).toEqual(libvirt.tasks.look.limitOf(target))
      },
      async 'started-by-somebody-else'() {
        await create()
        // It runs by the time that it is started.
        fault(' start ', 'virsh "$@" >/dev/null')
        expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
      },
      async 'half-made'() {
        fault('vol-create-as', 'sleep 60')
        const abort = new AbortController()
        const lost = expect(
          run('create', { spec: machineSpec.parse(small), interface_list: [eth0], callId: 'call-1' }, abort.signal),
        ).rejects.toThrow('claim lost')
        await vi.waitFor(() => expect(machines()).toEqual(['web01']), { timeout: 20_000 })
        abort.abort(new Error('claim lost'))
        await lost
        expect(volumes()).toEqual([])
        await expect(create({}, { callId: 'call-2' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
        expect(await create()).toMatchObject({ id: uuidOf('call-1') })
        expect(volumes()).toEqual(['web01-sda.qcow2'])
      },
      async 'volume-in-the-way'() {
        daemon.virsh('vol-create-as', 'default', 'web01-sda.qcow2', '1MiB', '--format', 'qcow2')
        await expect(create()).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
          message: expect.stringContaining("there is a volume 'web01-sda.qcow2' already"),
        })
        expect(machines()).toEqual([])
        expect(volumes()).toEqual(['web01-sda.qcow2'])
      },
      async 'no-guest-agent'() {
        await create()
        expect(await run('addresses', { locations: ['eth0'] })).toEqual({ address_map: { eth0: [] } })
        await run('set_power', { action: 'on' })
        expect(await run('addresses', { locations: ['eth0'] })).toEqual({ address_map: { eth0: [] } })
        const {
          interface_list: [mac],
        } = (await run('interfaces')) as { interface_list: string[] }
        fault('domifaddr', `echo " vnet0 ${mac} ipv4 10.0.0.7/24"; exit 0`)
        expect(await run('addresses', { locations: ['eth0'] })).toEqual({ address_map: { eth0: ['10.0.0.7'] } })
      },
      async 'pool-not-active'() {
        daemon.virsh('pool-destroy', 'default')
        await expect(create()).rejects.toMatchObject({
          code: 'DEVICE_REFUSED',
          message: expect.stringContaining('start it with virsh pool-start'),
        })
        daemon.virsh('pool-start', 'default')
        expect(machines()).toEqual([])
      },
    }
    describe('with what surprises', () => {
      it.each(quirks)('$name: $does', ({ name }) => laws[name]())
    })

    it('leaves a machine alone that somebody else has made, until it is taken in by its UUID', async () => {
      const xml = `<domain type='qemu'><name>web01</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>`
      writeFileSync(join(daemon.folder, 'other.xml'), xml)
      daemon.virsh('define', join(daemon.folder, 'other.xml'))
      await expect(create()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      expect(await run('look')).toMatchObject({ state: 'gone' })
      expect(await run('destroy', { callId: null })).toEqual({ destroyed: false })
      await expect(run('power_state')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(machines()).toEqual(['web01'])
      const id = daemon.virsh('domuuid', 'web01').trim()
      expect(await run('power_state', { id })).toEqual({ state: 'off' })
    })

    it.each([
      ['an image that there is not', { image: 'none.qcow2' }, {}, 'NOT_FOUND', 'none.qcow2'],
      ['a pool that there is not', {}, { pool: 'none' }, 'NOT_FOUND', "'none'"],
      ['no KVM', { domain_type: 'kvm' }, {}, 'DEVICE_UNSUPPORTED', 'libvirt_domain_type'],
      ['a disk larger than all', { disk_size: 65_536, image: 'huge.qcow2' }, {}, 'NOT_FOUND', 'huge.qcow2'],
    ])('says what is wrong with %s, and leaves nothing', async (_, spec, more, code, message) => {
      await expect(create(spec, more).then(() => run('set_power', { action: 'on' }))).rejects.toMatchObject({
        ...{ code, retryable: false, message: expect.stringContaining(message) },
      })
      if (code !== 'DEVICE_UNSUPPORTED') expect(machines()).toEqual([])
    })

    it('says what is wrong with a host that there is not, and with no space', async () => {
      await expect(run('power_state', { uri: 'qemu+unix:///system?socket=/nowhere' })).rejects.toMatchObject({
        code: 'DEVICE_UNREACHABLE',
        retryable: true,
      })
      fault('vol-create-as', 'echo "error: cannot fill file: No space left on device" >&2; exit 1')
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
      expect([...machines(), ...volumes()]).toEqual([])
      fault('dumpxml', 'echo "<domain><na"; exit 0')
      await expect(run('power_state')).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
    })

    it('reads libvirt’s own test driver', async () => {
      const test = { uri: 'test:///default', name: 'test', id: '6695eb01-f6a4-8304-79aa-97f2502e193f' }
      expect(await run('list', { uri: test.uri })).toEqual({ machines: [{ name: 'test', id: test.id }] })
      expect(await run('look', test)).toMatchObject({ state: 'on', id: test.id, details: { status: 'running' } })
    })

    it('goes through server and agent from create to destroy', async () => {
      const rig = await openRig({
        plugins: [libvirt],
        handlers: [handlers],
        resources: [join(import.meta.dirname, '../resources.toml')],
      })
      const { contractor } = rig
      const fields = { libvirt_uri: daemon.uri }
      await contractor.complexes.create({ name: 'kvm1', site: 'lab', type: 'LibVirt', fields })
      const own = { type: 'LibVirt', site: 'lab', blueprint: 'libvirt-vm-base', complex: 'kvm1' } as const
      await contractor.foundations.create({ ...own, locator: 'web01' })
      await contractor.interfaces.create({ kind: 'real', foundation: 'web01', name: 'eth0' })
      await contractor.blueprints.put({
        ...{ kind: 'structure', name: 'web', foundationBlueprints: ['libvirt-vm-base'] },
        configValues: { memory_size: 512, libvirt_domain_type: 'qemu', libvirt_network_type: 'user', disk_size: 1 },
      })
      await contractor.structures.create({ hostname: 'web01', site: 'lab', blueprint: 'web', foundation: 'web01' })
      await rig.finish(contractor.foundations.doCreate('web01'))
      const { items } = await contractor.interfaces.list({ foundation: 'web01' })
      expect(items).toMatchObject([{ name: 'eth0', mac: expect.stringMatching(/^52:54:00/) }])
      await rig.finish(contractor.foundations.doJob('web01', 'power_on'))
      expect(await contractor.foundations.read('web01')).toMatchObject({
        ...{ exists: true, differences: [], details: { power: 'on', memory_size: 512 } },
      })
      expect(await contractor.foundations.discover({ type: 'LibVirt', complex: 'kvm1' })).toEqual([])
      await rig.finish(contractor.foundations.doDestroy('web01'))
      expect([...machines(), ...volumes()]).toEqual([])
      expect(await contractor.foundations.read('web01')).toMatchObject({ exists: false })
    })
  },
)
