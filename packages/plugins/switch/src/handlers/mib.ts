import type { SnmpAgent, SnmpVariable } from '@contractor/driver/snmp'

/** IF-MIB (RFC 2863), BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363), LLDP-MIB (IEEE 802.1AB) and SNMPv2-MIB (RFC 3418). */
const ifTable = '1.3.6.1.2.1.2.2.1'
const ifXTable = '1.3.6.1.2.1.31.1.1.1'
const bridge = '1.3.6.1.2.1.17'
const vlanStatic = `${bridge}.7.1.4.3.1`
const lldpLocal = '1.0.8802.1.1.2.1.3.7.1'
const lldpRemote = '1.0.8802.1.1.2.1.4.1.1'

export const mib = {
  sysDescr: '1.3.6.1.2.1.1.1.0',
  sysName: '1.3.6.1.2.1.1.5.0',
  ifDescr: `${ifTable}.2`,
  ifPhysAddress: `${ifTable}.6`,
  ifAdminStatus: `${ifTable}.7`,
  ifOperStatus: `${ifTable}.8`,
  ifName: `${ifXTable}.1`,
  ifHighSpeed: `${ifXTable}.15`,
  ifAlias: `${ifXTable}.18`,
  dot1dBasePortIfIndex: `${bridge}.1.4.1.2`,
  dot1dTpFdbPort: `${bridge}.4.3.1.2`,
  dot1qTpFdbPort: `${bridge}.7.1.2.2.1.2`,
  dot1qVlanFdbId: `${bridge}.7.1.4.2.1.3`,
  dot1qVlanStaticName: `${vlanStatic}.1`,
  dot1qVlanStaticEgressPorts: `${vlanStatic}.2`,
  dot1qVlanStaticUntaggedPorts: `${vlanStatic}.4`,
  dot1qVlanStaticRowStatus: `${vlanStatic}.5`,
  dot1qPvid: `${bridge}.7.1.4.5.1.1`,
  lldpLocPortId: `${lldpLocal}.3`,
  lldpLocPortDesc: `${lldpLocal}.4`,
  lldpRemChassisId: `${lldpRemote}.5`,
  lldpRemPortId: `${lldpRemote}.7`,
  lldpRemPortDesc: `${lldpRemote}.8`,
  lldpRemSysName: `${lldpRemote}.9`,
} as const

/** RFC 2579, RowStatus. */
export const rowStatus = { createAndGo: '4', destroy: '6' } as const

/** A column of a table, by what its rows are named: the rest of the identifier. */
export async function readColumn(agent: SnmpAgent, oid: string): Promise<Map<string, SnmpVariable>> {
  const found = await agent.walk(oid)
  return new Map(found.map(one => [one.oid.slice(oid.length + 1), one]))
}

export const macOf = (bytes: Iterable<number>): string =>
  [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':')
