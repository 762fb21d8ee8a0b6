import type { Json } from '@contractor/contract'
import type { Values } from '../database/columns.ts'
import type { Engine } from '../engine/engine.ts'
import { type InterfaceAddress, type InterfaceEntry, toInterfaceMap } from '../network/interface-map.ts'
import type { FoundationRow, SiteRow, StructureRow } from './config-rows.ts'

/** What the engine itself says in a config. Names begin with `_`, global ones with `__`; no config value may have them. */

/** The console of a machine whose Foundation type does not say. */
const usualConsole = 'tty0'

export function foundationAttributes(engine: Engine, row: StructureRow['foundation']): Values {
  const plugin = engine.plugins.foundations.get(row.type)
  return {
    _foundation_id: row.locator,
    _foundation_locator: row.locator,
    _foundation_type: row.type,
    _foundation_state: row.state,
    _foundation_class_list: [...(plugin?.classes ?? [])],
    _foundation_id_map: row.idMap,
    _foundation_complex: row.complex,
    _foundation_plot: row.plot,
    _foundation_job_id: row.job,
    _foundation_job_cookie: row.cookie,
    _foundation_job_wait: row.wait,
    _console: plugin?.console ?? usualConsole,
    ...typeValues(engine, row).attributes,
  }
}

/** What a Foundation's type says in configs: attributes by their `_`, and values that others may change. */
export function typeValues(engine: Engine, row: StructureRow['foundation']): { attributes: Values; values: Values } {
  const { locator, fields, complex } = row
  const source = { locator, fields, complex, complexFields: row.complexFields ?? {} }
  const said = Object.entries(engine.plugins.foundations.get(row.type)?.config?.(source) ?? {})
  return {
    attributes: Object.fromEntries(said.filter(([name]) => name.startsWith('_'))),
    values: Object.fromEntries(said.filter(([name]) => !name.startsWith('_'))),
  }
}

/** Of a Foundation's own config: with what a Structure's config has of the Structure. */
export function ownFoundationAttributes(row: FoundationRow): Values {
  return {
    _site: row.site,
    _blueprint: row.blueprint,
    _structure_id: row.structure,
    ...interfaceAttributes(toInterfaceMap(row.interfaces, row.addresses)),
  }
}

/** `zone` is that of the Structure's Site, or of the nearest Site above it that has one. */
export function structureAttributes(row: StructureRow, zone: string | null): Values {
  return {
    _site: row.site,
    _blueprint: row.blueprint,
    _hostname: row.hostname,
    _domain_name: zone,
    _fqdn: zone === null ? row.hostname : `${row.hostname}.${zone}`,
    _structure_id: row.id,
    _structure_state: row.state,
    _structure_config_uuid: row.configUuid,
    _structure_job_id: row.job,
    _structure_job_cookie: row.cookie,
    _structure_job_wait: row.wait,
    ...interfaceAttributes(toInterfaceMap(row.interfaces, row.addresses)),
  }
}

function interfaceAttributes(entries: readonly InterfaceEntry[]): Values {
  const primary = entries.find(entry => entry.primary)
  const provisioning = entries.find(entry => entry.provisioning)
  return {
    _interface_map: Object.fromEntries(entries.map(entry => [entry.name, interfaceValue(entry)])),
    _foundation_interface_list: entries.filter(entry => entry.kind === 'real').map(interfaceValue),
    _primary_interface: primary?.name ?? null,
    _primary_interface_mac: primary?.mac ?? null,
    _primary_address: addressValue(primary?.addresses.find(address => address.primary)),
    _provisioning_interface: provisioning?.name ?? null,
    _provisioning_interface_mac: provisioning?.mac ?? null,
    _provisioning_address: addressValue(provisioning?.addresses[0]),
  }
}

function interfaceValue(entry: InterfaceEntry): Json {
  return {
    name: entry.name,
    kind: entry.kind,
    mac: entry.mac,
    physical_location: entry.physicalLocation,
    network: entry.network,
    mtu: entry.mtu,
    primary: entry.primary,
    provisioning: entry.provisioning,
    members: entry.members,
    parameters: entry.parameters,
    address_list: entry.addresses.map(addressValue),
  }
}

/** In the words that templates of the T3kton format use; `subnet` is the network's address alone. */
function addressValue(address: InterfaceAddress | undefined): Json {
  if (!address) return null
  return {
    address: address.address,
    netmask: address.netmask,
    prefix: address.prefix,
    subnet: address.subnet.split('/')[0] ?? '',
    gateway: address.gateway,
    gateway_on_link: address.gatewayOnLink,
    primary: address.primary,
    sub_interface: address.alias,
    vlan: address.vlan,
    tagged: address.tagged,
    network: address.network,
    mtu: address.mtu,
    auto: address.auto,
  }
}

/** The zone of a Site: its own, or the nearest one above. `chain` goes from the root down. */
export function zoneOf(chain: readonly SiteRow[]): string | null {
  return chain.findLast(site => site.zone !== null)?.zone ?? null
}

export interface GlobalFacts {
  url: string
  /** Where images for network boots are; under the server's own URL unless said. */
  pxeUrl: string | undefined
  /** How a machine asks for what is its own: the end of the path. */
  path: string
  /** As ISO 8601. */
  now: string
  changedMs: number
}

export function globalAttributes({ url, pxeUrl, path, now, changedMs }: GlobalFacts): Values {
  return {
    __contractor_host: url,
    __pxe_location: pxeUrl ?? `${url}/pxe/`,
    __signal_location: `${url}/signal/`,
    __pxe_template_location: `${url}/config/pxe_template/${path}`,
    __config_location: `${url}/config/config/${path}`,
    __timestamp: now,
    __last_modified: new Date(changedMs).toISOString(),
  }
}
