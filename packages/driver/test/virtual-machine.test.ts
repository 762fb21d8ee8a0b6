import type { Json } from '@contractor/plugin'
import { createFunctionContext } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { connectedInterfacesOf, locationOf, pairMacs, specOf } from '../src/virtual-machine.ts'

const real = (name: string, more: Record<string, Json> = {}) => ({
  ...{ name, physical_location: name, kind: 'real', mac: null, network: 'lan', address_list: [] },
  ...more,
})
const contextWith = (...interfaces: Json[]) =>
  createFunctionContext({ config: { _foundation_interface_list: interfaces } })

describe('the adapters of a virtual machine', () => {
  it('are in the order of the physical locations, by their numbers', () => {
    const all = connectedInterfacesOf(
      contextWith(real('eth10'), real('lan', { physical_location: 'eth2' }), real('eth1')),
    )
    expect(all.map(locationOf)).toEqual(['eth1', 'eth2', 'eth10'])
    expect(pairMacs(all.map(locationOf), ['AA', 'bb', 'CC', 'dd'])).toEqual({ eth1: 'aa', eth2: 'bb', eth10: 'cc' })
  })

  it('are as the interface is called where nobody says its place, and none without any', () => {
    expect(connectedInterfacesOf(contextWith(real('eth0', { physical_location: null }))).map(locationOf)).toEqual([
      'eth0',
    ])
    expect(connectedInterfacesOf(createFunctionContext())).toEqual([])
  })

  it('are plugged in somewhere', () => {
    expect(() => connectedInterfacesOf(contextWith(real('eth0', { network: null })))).toThrow(
      "Interface 'eth0' of Foundation 'example' has no Network",
    )
  })
})

describe('what a machine is to be', () => {
  it('is what the config says, then what is usual, and what nobody says is left out', () => {
    const config: Record<string, number | null> = { cpu_count: 4, memory_size: null }
    const keys = { cpu_count: 'cpu_count', memory_size: 'memory_size', disk: 'disk_size' }
    expect(specOf(name => config[name], keys, { cpu_count: 1, memory_size: 1024 })).toEqual({
      ...{ cpu_count: 4, memory_size: 1024 },
    })
  })
})
