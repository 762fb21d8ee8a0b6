import type { SnmpAgent, SnmpVariable } from '@contractor/driver/snmp'
import type { z } from 'zod'
import type { learned, neighbour } from '../tasks.ts'
import { macOf, mib, readColumn } from './mib.ts'
import { readPorts } from './ports.ts'

/** A MAC where it is none that could be read, as LLDP says chassis and ports; else its text. */
function textOf(variable: SnmpVariable | undefined): string {
  if (!variable) return ''
  const { bytes, value } = variable
  return bytes?.length === 6 && value === Buffer.from(bytes).toString('hex') ? macOf(bytes) : value
}

/** IEEE 802.1AB: rows are named by a time, the number of the local port, and which of its neighbours it is. */
export async function readNeighbours(agent: SnmpAgent): Promise<z.output<typeof neighbour>[]> {
  const chassis = await readColumn(agent, mib.lldpRemChassisId)
  const ports = await readColumn(agent, mib.lldpRemPortId)
  const descriptions = await readColumn(agent, mib.lldpRemPortDesc)
  const names = await readColumn(agent, mib.lldpRemSysName)
  const local = await readLocalNames(agent)
  return [...chassis].map(([row, id]) => {
    const number = row.split('.')[1] ?? ''
    return {
      port: local(number),
      name: textOf(names.get(row)),
      chassis: textOf(id),
      neighbour_port: textOf(ports.get(row)),
      description: textOf(descriptions.get(row)),
    }
  })
}

/** What LLDP's numbers of ports are: by their own names where these are some, else by those of interfaces. */
async function readLocalNames(agent: SnmpAgent): Promise<(number: string) => string> {
  const ids = await readColumn(agent, mib.lldpLocPortId)
  const descriptions = await readColumn(agent, mib.lldpLocPortDesc)
  const ports = await readPorts(agent)
  const named = (text: string) => ports.find(one => one.name === text || one.longName === text)?.name
  return number =>
    named(textOf(ids.get(number))) ??
    named(textOf(descriptions.get(number))) ??
    ports.find(one => one.index === number)?.name ??
    (textOf(ids.get(number)) || number)
}

/** By VLAN where it tells that, else by BRIDGE-MIB's older table. Ports that are none, as the switch itself, are left out. */
export async function readMacs(agent: SnmpAgent): Promise<z.output<typeof learned>[]> {
  const base = await readColumn(agent, mib.dot1dBasePortIfIndex)
  const ports = await readPorts(agent)
  const nameOf = (number: string) => ports.find(one => one.index === base.get(number)?.value)?.name
  const rows = await readColumn(agent, mib.dot1qTpFdbPort)
  const vlans = await readVlansByTable(agent)
  const found = [...rows].map(([row, { value }]) => {
    const [table = '', ...mac] = row.split('.')
    return { mac, port: nameOf(value), vlan: vlans.get(table) ?? Number(table) }
  })
  const older = found.length ? [] : [...(await readColumn(agent, mib.dot1dTpFdbPort))]
  return [
    ...found,
    ...older.map(([row, { value }]) => ({ mac: row.split('.'), port: nameOf(value), vlan: null })),
  ].flatMap(({ mac, port, vlan }) => (port === undefined ? [] : [{ mac: macOf(mac.map(Number)), port, vlan }]))
}

/** The VLAN of each table of MACs; rows are named by a time and the VLAN. */
async function readVlansByTable(agent: SnmpAgent): Promise<Map<string, number>> {
  const rows = await readColumn(agent, mib.dot1qVlanFdbId)
  return new Map([...rows].map(([row, { value }]) => [value, Number(row.split('.').at(-1))]))
}
