import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { isConfigured } from '../src/configuration.ts'
import { handlers } from '../src/handlers/index.ts'
import { has, put } from '../src/handlers/vlans.ts'
import { models } from '../src/models.ts'
import { networkSwitch } from '../src/switch.ts'

const fields = {
  ...{ switch_ip_address: '10.0.0.2', switch_community: 'private', switch_model: 'ios' },
  ...{ switch_username: 'admin', switch_password: 'geheim' },
}

describe('the laws of plugins', () => {
  const port = { name: 'Gi1', description: '', up: true, link: true, speed: 1000, mac: null }
  const laws = pluginLaws(networkSwitch, handlers, {
    fields,
    args: {
      port_up: [{ port: 'Gi1' }],
      port_down: [{ port: 'Gi1' }],
      set_description: [{ port: 'Gi1', description: 'web01' }],
      create_vlan: [{ vlan: 7, name: 'lab' }],
      delete_vlan: [{ vlan: 7 }],
      set_vlan: [{ port: 'Gi1', untagged: 7, tagged: [8] }, { port: 'Gi1' }],
      configure: [{ lines: ['vlan 7'] }, { lines: 'vlan 7\nexit', save: false }],
    },
    replies: {
      look: [{ name: 'sw1', description: 'x', ports: [port] }],
      set_port: [{ changed: true }],
      read_vlans: [{ vlans: [{ vlan: 1, name: 'default' }], ports: [{ port: 'Gi1', untagged: 1, tagged: [] }] }],
      set_vlan: [{ changed: true }],
      set_port_vlans: [{ changed: false }],
      read_neighbours: [
        { neighbours: [{ port: 'Gi1', name: 'web01', chassis: 'a', neighbour_port: 'eth0', description: '' }] },
      ],
      read_macs: [{ macs: [{ mac: '02:00:00:00:00:01', port: 'Gi1', vlan: 7 }] }],
      read_configuration: [
        { text: 'vlan 7', all: null },
        { text: '', all: null },
      ],
      configure: [{ output: 'x' }],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('a bitmap of ports', () => {
  it('counts from the highest bit of its first byte, and becomes longer where it has to', () => {
    expect(has(Uint8Array.of(0x80), 1)).toBe(true)
    expect(has(Uint8Array.of(0x80), 2)).toBe(false)
    expect(has(Uint8Array.of(0x80), 9)).toBe(false)
    expect([...put(Uint8Array.of(0x80), 10, true)]).toEqual([0x80, 0x40])
    expect([...put(Uint8Array.of(0x80, 0x40), 1, false)]).toEqual([0, 0x40])
  })
})

describe('lines of configuration', () => {
  const text = 'hostname sw1\n!\nvlan 7\n name lab\ninterface Gi1\n  switchport  access vlan 7\n'
  it.each([
    [['vlan 7', 'name lab', 'exit'], true],
    [['interface Gi1', 'switchport access vlan 7'], true],
    [['vlan 8'], false],
    [['no vlan 8'], true],
    [['no vlan 7'], false],
    [['no switchport'], false],
  ])('%j are in it: %s', (lines, is) => {
    expect(isConfigured(lines, text)).toBe(is)
  })
})

it.each(models)('the command line of $name says when a line is none', ({ refuses, before, show }) => {
  const words = { ios: "% Invalid input detected at '^' marker.", eos: '% Invalid input', nxos: '% Invalid command at' }
  expect('syntax error.').not.toMatch(/^%/)
  expect(
    Object.values(words)
      .concat('syntax error, expecting <command>')
      .some(line => refuses.test(line)),
  ).toBe(true)
  for (const line of [...before, show, 'interface Gi1', 'description % of use']) expect(refuses.test(line)).toBe(false)
})

describe('fields', () => {
  it.each([
    [{ ...fields, switch_model: 'acme' }],
    [{ ...fields, switch_ip_address: '-v' }],
    [{ ...fields, switch_auth_key: 'short' }],
    [{ ...fields, switch_username: '-l' }],
    [{ ...fields, switch_host_key: 'MD5:aa' }],
  ])('%j are refused', given => {
    expect(networkSwitch.fields.safeParse(given).success).toBe(false)
  })
})
