import { findSizeBytes, type HardwareTemplate, hardware } from '@contractor/contract'
import { describe, expect, it } from 'vitest'
import { hardwareTemplate, mergeTemplates } from '../src/definition/blueprint/hardware-template.ts'
import { checkHardware } from '../src/inventory/hardware/check-hardware.ts'
import { machineReport } from './machine.ts'

const report = (changes: Parameters<typeof machineReport>[0] = {}) => hardware.parse(machineReport(changes))
const messagesOf = (template: object, changes = {}) =>
  checkHardware(hardwareTemplate.parse(template), report(changes)).map(one => one.message)

describe('a report', () => {
  it.each([
    ['a text that is too long', { system: { serial: 'x'.repeat(256) } }, 'system.serial'],
    ['a control character', { system: { product: 'a\u0007b' } }, 'system.product'],
    ['a number where a text belongs', { bios: { version: 7 } }, 'bios.version'],
    ['a config UUID that is none', { configUuid: 'mine' }, 'configUuid'],
    ['a negative size', { disks: [{ sizeBytes: -1 }] }, 'disks.0.sizeBytes'],
    ['half a core', { cpus: [{ cores: 1.5 }] }, 'cpus.0.cores'],
    ['too many cards', { networkInterfaces: Array(513).fill({}) }, 'networkInterfaces'],
    ['a PCI id that is no number', { pciDevices: [{ vendorId: 'intel' }] }, 'pciDevices.0.vendorId'],
    ['more than a database should keep', { disks: Array(2048).fill({ model: 'x'.repeat(200) }) }, ''],
  ])('with %s is refused, and the field named', (_, changes, path) => {
    const parsed = hardware.safeParse(machineReport(changes as object))
    expect(parsed.error?.issues.map(issue => issue.path.join('.'))).toEqual([path])
  })

  it('is kept without what is not known, and without MACs and addresses that are none', () => {
    const parsed = hardware.parse({
      colour: 'red',
      system: { serial: ' S1 ', colour: 'red' },
      bmc: { mac: '00:00:00:00:00:00', address: '0.0.0.0' },
      pciDevices: [{ vendorId: '0x10DE' }],
      networkInterfaces: [
        { name: 'lo', mac: '00:00:00:00:00:00' },
        { name: 'ib0', mac: '80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:28:c0:11' },
        { name: 'eth0', mac: '5254.00AB.CDEF' },
      ],
    })
    expect(JSON.parse(JSON.stringify(parsed))).toEqual({
      system: { serial: 'S1' },
      bmc: {},
      pciDevices: [{ vendorId: '10de' }],
      networkInterfaces: [{ name: 'lo' }, { name: 'ib0' }, { name: 'eth0', mac: '52:54:00:ab:cd:ef' }],
    })
  })
})

describe('a size', () => {
  it.each([
    ['64GiB', 64 * 2 ** 30],
    ['1TB', 1e12],
    ['1.92 TB', 1.92e12],
    ['512b', 512],
    [4096, 4096],
    ['64 gigs', undefined],
    ['GiB', undefined],
    ['-1GB', undefined],
    [1.5, undefined],
    [-1, undefined],
    ['999999999999PiB', undefined],
  ])('%s is %s bytes', (written, sizeBytes) => {
    expect(findSizeBytes(written)).toBe(sizeBytes)
  })
})

describe('a template', () => {
  it.each([
    ['an unknown key', { cpu_count: 4 }, '', "unknown key 'cpu_count'; known are system, baseboard"],
    ['an unknown key within', { cpus: { cuont: 4 } }, 'cpus', "unknown key 'cuont'; known are count, cores"],
    ['a number as text', { cpus: { count: 'four' } }, 'cpus.count', 'must be a whole number, a list of such, or'],
    ['half a processor', { cpus: { count: 1.5 } }, 'cpus.count', 'must be a whole number'],
    ['an empty range', { cpus: { count: {} } }, 'cpus.count', 'must have min, max or both'],
    ['a range upside down', { cpus: { count: { min: 4, max: 2 } } }, 'cpus.count', 'has a min above its max'],
    ['sizes upside down', { memory: { total: { min: '1TB', max: '1GB' } } }, 'memory.total', 'has a min above its max'],
    ['a misspelt end', { cpus: { count: { min: 1, least: 4 } } }, 'cpus.count', 'Unrecognized key: "least"'],
    ['a size in words', { memory: { total: 'much' } }, 'memory.total', 'must be a size such as'],
    ['an empty list', { system: { product: [] } }, 'system.product', 'must name one value at least'],
    [
      'a pattern that is none',
      { system: { product: { pattern: '[' } } },
      'system.product.pattern',
      'is no pattern: missing',
    ],
    [
      'a pattern that looks ahead',
      { system: { product: { pattern: 'a(?=b)' } } },
      'system.product.pattern',
      'is no pattern',
    ],
    [
      'a pattern that would grow',
      { bios: { version: { pattern: '((x{500}){500}){500}' } } },
      'bios.version.pattern',
      'is no pattern',
    ],
    [
      'a pattern that is too long',
      { bios: { version: { pattern: 'x'.repeat(501) } } },
      'bios.version.pattern',
      '500 characters',
    ],
    ['a group with an odd name', { disks: { 'a b': {} } }, 'disks.a b', ''],
    [
      'a condition that disks have not',
      { disks: { data: { speed: 1 } } },
      'disks.data',
      "unknown key 'speed'; known are count, size",
    ],
  ])('with %s is refused, and the key named', (_, template, path, message) => {
    const { error } = hardwareTemplate.safeParse(template)
    expect(error?.issues.map(issue => issue.path.join('.'))).toEqual([path])
    expect(error?.issues[0]?.message).toContain(message)
  })

  it.each([
    ['a value', { cpus: { count: 2 } }],
    ['a sum of cores', { cpus: { cores: 32, threads: { min: 64 } } }],
    ['a list', { cpus: { count: [1, 2] } }],
    ['a range, both ends belonging to it', { cpus: { count: { min: 2, max: 2 } } }],
    ['a pattern found anywhere', { cpus: { model: { pattern: 'Gold 6\\d+R?' } } }],
    ['a pattern that is held', { system: { product: { pattern: '^anvil \\d+$' } } }, false],
    ['a pattern in any case', { system: { product: { pattern: '(?i)^anvil \\d+$' } } }],
    ['a size', { memory: { total: '64GiB' } }],
    ['a size that differs by more than one percent', { memory: { total: '65GiB' } }, false],
    ['a size in bytes, which is exact', { memory: { total: 64 * 2 ** 30 + 1 } }, false],
    ['a range of sizes, which is exact', { memory: { total: { max: 64 * 2 ** 30 } } }],
    ['a disk by the size that it is sold by', { disks: { system: { size: '1TB', rotational: false, count: 1 } } }],
    ['a disk of another kind', { disks: { system: { size: '1TB', type: 'sata' } } }, false],
    ['disks in number', { disks: { any: { count: 2 } } }],
    ['none of a kind', { disks: { old: { count: 0, type: 'ide' } } }],
    [
      'PCI devices by vendor, device and class',
      { pci: { nic: { vendor: '0x8086', device: '1572', class: '02', count: 2 } } },
    ],
    ['a PCI device by one of several ids', { pci: { gpu: { vendor: ['1002', '10DE'], name: { pattern: '^A' } } } }],
    ['a PCI device of another class', { pci: { gpu: { vendor: '10de', class: '0300' } } }, false],
    ['ports by speed and driver', { ports: { fast: { speed: { min: 10_000 }, driver: 'i40e', count: { min: 2 } } } }],
    ['a port by place and wire', { ports: { one: { location: 'NIC.1', link: true, name: 'eth0' } } }],
    [
      'DMI fields',
      { system: { manufacturer: ['Acme', 'Apex'] }, bios: { version: '2.4.1' }, bmc: { firmware: '7.10' } },
    ],
  ])('with %s', (_, template, passes: boolean | undefined = true) => {
    expect(messagesOf(template).length === 0).toBe(passes)
  })

  it('tells every difference, wanted and found', () => {
    const template = hardwareTemplate.parse({
      system: { product: ['Anvil 3000', 'Anvil 4000'] },
      chassis: { type: 'Rack' },
      cpus: { count: 4, model: { pattern: '^EPYC' } },
      memory: { total: { min: '128GiB' }, modules: 2 },
      pci: { gpu: { vendor: '1002' } },
      disks: { data: { count: { min: 4 }, size: '8TB', rotational: true }, system: { size: '1TB' } },
      ports: { fast: { count: [2, 4], speed: { min: 25_000, max: 100_000 } } },
    })
    const differences = checkHardware(template, report())
    expect(differences.map(one => one.message)).toEqual([
      "system.product is 'Anvil 2000', wanted 'Anvil 3000' or 'Anvil 4000'",
      "chassis.type was not reported, wanted 'Rack'",
      'cpus.count is 2, wanted 4',
      "cpus.model is 'Xeon Gold 6226R', wanted like /^EPYC/",
      'memory.total is 68719476736 bytes, wanted 128GiB at least',
      "pci.gpu: PCI devices of vendor '1002': there are 0 of 3, wanted 1 at least",
      "disks.data: disks of size '8TB', rotational true: there are 1 of 2, wanted 4 at least",
      'ports.fast: network ports of speed 25000 to 100000: there are 0 of 2, wanted 2 or 4',
    ])
    expect(differences[2]).toMatchObject({ path: 'cpus.count', wanted: 4, found: 2 })
    expect(differences[1]).toMatchObject({ path: 'chassis.type', wanted: 'Rack', found: null })
    expect(differences[6]).toMatchObject({
      path: 'disks.data',
      wanted: { count: { min: 4 }, size: '8TB', rotational: true },
      found: 1,
    })
  })

  it('is not met by what was not reported', () => {
    const template = {
      cpus: { count: 1, model: 'x' },
      memory: { total: 1 },
      disks: { any: {} },
      ports: { any: { count: 0 } },
    }
    expect(checkHardware(hardwareTemplate.parse(template), hardware.parse({})).map(one => one.message)).toEqual([
      'cpus.count was not reported, wanted 1',
      "cpus.model was not reported, wanted 'x'",
      'memory.total was not reported, wanted 1',
      'disks.any: disks: were not reported, wanted 1 at least',
      'ports.any: network ports: were not reported, wanted 0',
    ])
    expect(messagesOf({ cpus: { cores: 2 } }, { cpus: [{ cores: 2 }, {}] })).toEqual([
      'cpus.cores was not reported, wanted 2',
    ])
  })

  it('of an heir replaces what it names, and keeps the rest', () => {
    const parent: HardwareTemplate = {
      cpus: { count: 2, model: 'a' },
      disks: { data: { count: 4, size: '1TB' }, system: {} },
    }
    const heir: HardwareTemplate = { cpus: { count: 4 }, disks: { data: { count: 8 } }, memory: { total: '1GB' } }
    expect(mergeTemplates([parent, heir])).toEqual({
      cpus: { count: 4, model: 'a' },
      disks: { data: { count: 8 }, system: {} },
      memory: { total: '1GB' },
    })
  })
})
