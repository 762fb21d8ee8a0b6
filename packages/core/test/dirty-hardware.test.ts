import { describe, expect, it } from 'vitest'
import { readReport } from '../src/inventory/hardware/read-report.ts'
import { machineReport } from './machine.ts'

const read = (changes: object) => readReport(machineReport(changes), 'The report')
const pathsOf = (changes: object) => read(changes).omitted.map(one => one.path)

describe('of a report', () => {
  it.each([
    ['a text that is too long', { system: { serial: 'x'.repeat(256), product: 'kept' } }, 'system.serial'],
    ['a control character', { system: { product: 'a\u0007b' } }, 'system.product'],
    ['NUL', { system: { product: 'a\u0000' } }, 'system.product'],
    ['half a character', { system: { product: 'a\ud800b' } }, 'system.product'],
    ['null', { bios: { version: null } }, 'bios.version'],
    ['a number where a text belongs', { bios: { version: 7 } }, 'bios.version'],
    ['a list where a map belongs', { bios: [] }, 'bios'],
    ['a map where a list belongs', { cpus: {} }, 'cpus'],
    ['a text in a list of maps', { cpus: ['Xeon', { cores: 4 }] }, 'cpus.0'],
    ['a config UUID that is none', { configUuid: 'mine' }, 'configUuid'],
    ['a negative size', { disks: [{ sizeBytes: -1 }] }, 'disks.0.sizeBytes'],
    ['an absurd size', { memory: { totalBytes: 1e300 } }, 'memory.totalBytes'],
    ['half a core', { cpus: [{ cores: 1.5 }] }, 'cpus.0.cores'],
    ['a speed of -1', { networkInterfaces: [{ speedMbps: -1 }] }, 'networkInterfaces.0.speedMbps'],
    ['the speed of no link', { networkInterfaces: [{ speedMbps: 4_294_967_295 }] }, 'networkInterfaces.0.speedMbps'],
    ['a PCI id that is no number', { pciDevices: [{ vendorId: 'intel' }] }, 'pciDevices.0.vendorId'],
    ['an odd neighbour', { networkInterfaces: [{ lldp: { portId: 7 } }] }, 'networkInterfaces.0.lldp.portId'],
    ['a group MAC', { networkInterfaces: [{ mac: '01:00:5e:00:00:01' }] }, 'networkInterfaces.0.mac'],
    ['words for an address', { bmc: { address: 'not set' } }, 'bmc.address'],
  ])('%s is left out, and named', (_, changes, path) => {
    const { report, omitted } = read(changes)
    expect(omitted).toEqual([{ path, reason: expect.stringMatching(/./) }])
    // All else is there.
    expect(report).toMatchObject({ baseboard: { serial: 'BRD-1' } })
  })

  it('what is beside the odd thing stays', () => {
    const card = { name: 'eth0', mac: '52:54:00:00:00:01', speedMbps: -1, link: 'yes' }
    const { report } = read({ networkInterfaces: [card, 7, { name: 'eth1' }], cpus: null })
    expect(report.networkInterfaces).toEqual([{ name: 'eth0', mac: '52:54:00:00:00:01' }, { name: 'eth1' }])
    expect(report).not.toHaveProperty('cpus')
  })

  it('the address of an InfiniBand port is left out with the reason; that of a loopback without a word', () => {
    const mac = '80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:28:c0:11'
    const { report, omitted } = read({
      networkInterfaces: [
        { name: 'ib0', mac },
        { name: 'lo', mac: '00:00:00:00:00:00' },
      ],
    })
    expect(report.networkInterfaces).toEqual([{ name: 'ib0' }, { name: 'lo' }])
    expect(omitted).toEqual([
      { path: 'networkInterfaces.0.mac', reason: 'is the 20 byte address of an InfiniBand port, which is no MAC' },
    ])
  })

  it('the end of a list that is too long is left out', () => {
    const { report, omitted } = read({ networkInterfaces: Array(5000).fill({ name: 'x' }) })
    expect(report.networkInterfaces).toHaveLength(512)
    expect(omitted).toEqual([
      { path: 'networkInterfaces', reason: 'must be 512 at the most: only the first 512 are kept' },
    ])
  })

  it('whole lists are left out while all of it is more than is kept', () => {
    const many = (entry: object) => Array(2048).fill(entry)
    const { report, omitted } = read({
      disks: many({ model: 'x'.repeat(200) }),
      pciDevices: many({ device: 'x'.repeat(200) }),
    })
    expect(omitted.map(one => one.path)).toEqual(['pciDevices', 'disks'])
    expect(omitted[0]?.reason).toContain('characters at the most')
    expect(report.networkInterfaces).toHaveLength(2)
  })

  it('very many omissions are named in part, and counted', () => {
    const { report, omitted } = read({ disks: Array(3000).fill({ model: 7, sizeBytes: -1 }) })
    expect(report.disks).toHaveLength(2048)
    expect(omitted).toHaveLength(101)
    expect(omitted.at(-1)).toEqual({ path: '', reason: expect.stringMatching(/^and \d+ more$/) })
  })

  it('nothing is left out that is right, nor named that is not known', () => {
    expect(pathsOf({ colour: 'red', 'a\u0000b': '\ud800' })).toEqual([])
  })

  it.each([[null], [[]], ['text'], [7], [undefined]])('that is %j and no object nothing is taken', input => {
    expect(() => readReport(input, 'The report')).toThrow('The report is not valid: it must be a JSON object')
  })
})
