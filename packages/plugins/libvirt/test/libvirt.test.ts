import { pluginLaws } from '@contractor/plugin/testing'
import { XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { libvirtComplex } from '../src/connection.ts'
import { parseDomain } from '../src/handlers/domain.ts'
import { toXml } from '../src/handlers/domain-xml.ts'
import { handlers } from '../src/handlers/index.ts'
import { libvirt } from '../src/libvirt.ts'
import { machineSpec } from '../src/machine-spec.ts'

const uuid = '8f1c6f4e-0000-4000-8000-000000000001'
const seen = { state: 'off', id: uuid, details: { status: 'shut off' } }
const eth0 = { name: 'eth0', physical_location: 'eth0', network: 'br0', mac: null, address_list: [] }

describe('the laws of plugins', () => {
  const args = [{ snapshot: 'before' }]
  const laws = pluginLaws(libvirt, handlers, {
    fields: { libvirt_uuid: uuid },
    complexFields: {},
    config: { _foundation_interface_list: [eth0], memory_size: '2048' },
    args: {
      create: [{ vm_spec: { cpu_count: 2 } }],
      set_interface_macs: [{ interface_map: { eth0: '525400000001' } }],
      snapshot_create: args,
      snapshot_restore: args,
      snapshot_delete: args,
      insert_iso: [{ iso: '/isos/debian.iso' }, { iso: null }],
    },
    replies: {
      create: [{ id: uuid, interface_map: { eth0: '52:54:00:00:00:01' } }],
      destroy: [{ destroyed: true }],
      look: [seen, { ...seen, state: 'gone', id: null }],
      interfaces: [{ interface_list: ['52:54:00:00:00:01'] }],
      addresses: [{ address_map: { eth0: ['10.0.0.7'] } }],
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      snapshot_create: [{ created: true }],
      snapshot_list: [{ snapshots: [{ name: 'before', details: {} }] }],
      snapshot_restore: [{}],
      snapshot_delete: [{ deleted: true }],
      set_iso: [{ changed: true }],
      list: [{ machines: [{ name: 'web01', id: uuid }] }],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('a machine', () => {
  const wanted = { id: uuid, name: 'web01', callId: 'call-1', pool: 'default' }

  it('is described with its marks, disks and ports, and read again', () => {
    const spec = machineSpec.parse({
      memory_size: '2048',
      boot_order: ['net', 'hdd'],
      firmware: 'efi',
      iso: '/a&b.iso',
    })
    const xml = toXml({ ...wanted, spec, ports: [{ ...eth0, mac: '52:54:00:00:00:07' }] })
    expect(XMLValidator.validate(xml)).toBe(true)
    expect(xml).toContain('<boot dev="network"/><boot dev="hd"/>')
    expect(xml).toContain('<interface type="bridge"><mac address="52:54:00:00:00:07"/><source bridge="br0"/>')
    expect(xml).toContain('/a&amp;b.iso')
    // As libvirt gives it back.
    const domain = parseDomain('libvirt', xml.replace('unit="MiB">2048', 'unit="KiB">2097152'))
    expect(domain).toEqual({
      ...{ id: uuid, name: 'web01', isOurs: true, cpuCount: 1, memorySize: 2048, macs: ['52:54:00:00:00:07'] },
      ...{ volumes: [{ pool: 'default', name: 'web01-sda.qcow2' }], iso: '/a&b.iso' },
    })
  })

  it.each(['', '<domain>', '<domain><name>x</name></domain>', 'error', '<a/>'])(
    'whose description is %j cannot be read',
    text => {
      expect(() => parseDomain('libvirt', text)).toThrow('cannot be read')
    },
  )

  it.each([
    [{ domain_type: 'xen' }],
    [{ network_type: '"/>' }],
    [{ image: '../x' }],
    [{ disk_list: [] }],
    [{ boot_order: ['usb'] }],
  ])('is not to be %j', given => {
    expect(machineSpec.safeParse(given).success).toBe(false)
  })
})

describe('a URI', () => {
  it.each(['qemu:///system', 'qemu+ssh://root@host/system?keyfile=/k', 'test:///default', 'qemu+tls://h/system'])(
    '%s is taken',
    libvirt_uri => {
      expect(libvirtComplex.fields.safeParse({ libvirt_uri }).success).toBe(true)
    },
  )
  it.each(['-c', 'qemu+ext:///system?command=/bin/sh', 'qemu+ssh://h/system?netcat=/bin/sh', 'system', "qemu:///'"])(
    '%s is refused',
    libvirt_uri => {
      expect(libvirtComplex.fields.safeParse({ libvirt_uri }).success).toBe(false)
    },
  )
})
