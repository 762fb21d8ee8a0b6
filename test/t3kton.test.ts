import type { FoundationPlugin, ModulePlugin, Plugin } from '@contractor/plugin'
import { amt } from '@contractor/plugin-amt'
import { aws } from '@contractor/plugin-aws'
import { azure } from '@contractor/plugin-azure'
import { docker } from '@contractor/plugin-docker'
import { ipmi } from '@contractor/plugin-ipmi'
import { iputils } from '@contractor/plugin-iputils'
import { libvirt } from '@contractor/plugin-libvirt'
import { manual, manualComplexFoundation } from '@contractor/plugin-manual'
import { proxmox } from '@contractor/plugin-proxmox'
import { redfish } from '@contractor/plugin-redfish'
import { simulated, simulatedGuest } from '@contractor/plugin-simulated'
import { ssh } from '@contractor/plugin-ssh'
import { vcenter } from '@contractor/plugin-vcenter'
import { virtualbox } from '@contractor/plugin-virtualbox'
import { vyos } from '@contractor/plugin-vyos'
import { describe, expect, it } from 'vitest'

/**
 * What scripts of T3kton's Contractor can write, row by row: each is here under the same name, with the same parameters. `values` that
 * can be set end with `=`; `functions` name their parameters, those that may be left out with `?`.
 */
interface Row {
  plugin: FoundationPlugin | ModulePlugin
  type?: string
  classes?: string
  values?: string
  functions?: string
  module?: string
}

const power = 'power_on power_off power_state wait_for_poweroff'
const machine = `destroy ${power} get_interface_map set_interface_macs(interface_map)`

const rows: Row[] = [
  { plugin: amt, type: 'AMT', classes: 'Physical AMT', values: 'amt_ip_address', functions: power },
  { plugin: ipmi, type: 'IPMI', classes: 'Physical IPMI', values: 'ipmi_ip_address', functions: `${power} link_test` },
  {
    ...{ plugin: redfish, type: 'RedFish', classes: 'Physical RedFish', values: 'redfish_ip_address' },
    functions: `${power} link_test`,
  },
  {
    ...{ plugin: virtualbox, type: 'VirtualBox', classes: 'VM VirtualBox', functions: machine },
    values: 'virtualbox_complex virtualbox_uuid= virtualbox_vmspec',
    module: 'virtualbox.create(vm_spec)',
  },
  {
    ...{ plugin: libvirt, type: 'LibVirt', classes: 'VM LibVirt', functions: machine },
    values: 'libvirt_complex libvirt_uuid= libvirt_vmspec',
    module: 'libvirt.create(vm_spec)',
  },
  {
    ...{ plugin: proxmox, type: 'Proxmox', classes: 'VM Proxmox', functions: machine },
    values: 'proxmox_complex proxmox_id= proxmox_vmspec',
    module: 'proxmox.create(vm_spec) proxmox.node_list(min_memory?,min_cores?)',
  },
  {
    ...{ plugin: vcenter, type: 'VCenter', classes: 'VM VCenter' },
    values: 'vcenter_complex vcenter_uuid= vcenter_vmspec',
    functions: `${machine} execute(username,password,command,dir?,timeout?,expected_rc?) mark_as_template(as_template?) export(url)`,
    module:
      'vcenter.create(host,datastore,vm_spec) vcenter.host_list(min_memory,min_cpu,cpu_scaler?,memory_scaler?) vcenter.datastore_list(host,min_free_space,name_regex?) vcenter.create_datastore(name,model) vcenter.network_list(host,name_regex?)',
  },
  {
    ...{ plugin: azure, type: 'Azure', classes: 'VM Azure', functions: 'destroy power_on power_off power_state' },
    values: 'azure_complex azure_resource_name= azure_vmspec',
    module: 'azure.create(vm_spec)',
  },
  {
    ...{ plugin: aws, type: 'AWSEC2', classes: 'AWSEC2', values: 'awsec2_instance_id=', module: 'aws.create' },
    functions:
      'destroy power_on power_off power_state set_interface_macs(interface_list) set_ip_addresses(ip_address_map)',
  },
  {
    ...{ plugin: docker, type: 'Docker', classes: 'Container Docker' },
    values: 'docker_complex docker_id= docker_containerspec',
    functions: 'map_ports(container_spec) unmap_ports start stop state destroy',
    module: 'docker.create(container_spec,port_map)',
  },
  { plugin: manual, type: 'Manual', classes: 'Metal VM Container Switch Manual', functions: power },
  { plugin: manualComplexFoundation, type: 'ManualComplex', classes: 'ManualComplex' },
  { plugin: simulated, type: 'Test', classes: 'Metal VM Container Switch Manual Test', functions: power },
  { plugin: simulatedGuest, type: 'TestComplex', classes: 'TestComplex' },
  {
    plugin: iputils,
    module:
      'iputils.ping(target,count?) iputils.wait_for_port(target,port) iputils.snmp_get(host,oid,protocol?,community?,user?,auth_key?,priv_key?) iputils.snmp_set(host,oid,value,protocol?,community?,user?,auth_key?,priv_key?)',
  },
  {
    plugin: ssh,
    module:
      'ssh.execute(host,command,username?,password?,timeout?,expected_rc?) ssh.file(host,username,password?,source,destination)',
  },
  { plugin: vyos, module: 'vyos.apply(attribute,auth_key)' },
]

const words = (text = ''): string[] => text.match(/[^\s(]+(\([^)]*\))?/g) ?? []

interface Signature {
  name: string
  parameters: { name: string; isOptional: boolean }[]
}

function signatureOf(word: string): Signature {
  const [, name = '', list = ''] = /^([\w.]+)(?:\(([^)]*)\))?$/.exec(word) ?? []
  const parameters = list
    ? list.split(',').map(one => ({ name: one.replace('?', ''), isOptional: one.endsWith('?') }))
    : []
  return { name, parameters }
}

function checkFunction(functions: FoundationPlugin['functions'], { name, parameters }: Signature): void {
  const definition = functions[name]
  expect(definition, name).toBeDefined()
  const shape = definition?.args.shape ?? {}
  for (const parameter of parameters) {
    expect(Object.keys(shape), `${name}: its parameters`).toContain(parameter.name)
    if (parameter.isOptional)
      expect(
        (shape[parameter.name] as { safeParse(value: unknown): { success: boolean } }).safeParse(undefined).success,
        `${name}: ${parameter.name} may be left out`,
      ).toBe(true)
  }
  // What they do not write must not be needed.
  const known = new Set(parameters.map(one => one.name))
  for (const [other, schema] of Object.entries(shape))
    if (!known.has(other))
      expect(
        (schema as { safeParse(value: unknown): { success: boolean } }).safeParse(undefined).success,
        `${name}: ${other} is not needed`,
      ).toBe(true)
}

describe.each(rows.map(row => ({ ...row, title: row.type ?? row.plugin.module })))('$title of T3kton', row => {
  const { plugin } = row
  it('has its type and classes', () => {
    if (plugin.kind !== 'foundation') return expect(row.type).toBeUndefined()
    expect(plugin.type).toBe(row.type)
    expect(plugin.classes).toEqual(expect.arrayContaining(words(row.classes)))
  })

  it.each(words(row.values))('has the value %s', word => {
    const name = word.replace('=', '')
    if (plugin.kind !== 'foundation') throw new Error('A module has no values')
    expect([...Object.keys(plugin.values), ...Object.keys(plugin.fields.shape)]).toContain(name)
    if (word.endsWith('=')) expect(plugin.values[name]?.set).toBeDefined()
  })

  it.each(words(row.functions))('has the function %s', word => {
    checkFunction(plugin.functions, signatureOf(word))
  })

  it.each(words(row.module))('has the function %s', word => {
    const { name, parameters } = signatureOf(word)
    const [module = '', own = ''] = name.split('.')
    expect(plugin.module).toBe(module)
    const functions = plugin.kind === 'foundation' ? plugin.moduleFunctions : plugin.functions
    checkFunction(functions, { name: own, parameters })
  })
})

it('every plugin that stands in the table is one', () => {
  const kinds = rows.map(row => (row.plugin as Plugin).kind)
  expect(new Set(kinds)).toEqual(new Set(['foundation', 'module']))
})
