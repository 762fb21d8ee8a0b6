import { deviceError } from '@contractor/driver'
import type { SnmpAgent } from '@contractor/driver/snmp'
import { ContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { portVlans, vlan } from '../tasks.ts'
import { mib, readColumn, rowStatus } from './mib.ts'
import { getPort, notMade, readPorts } from './ports.ts'

/** RFC 4363, PortList: the highest bit of the first byte is port 1. */
export const has = (bitmap: Uint8Array, port: number): boolean =>
  ((bitmap[(port - 1) >> 3] ?? 0) & (0x80 >> ((port - 1) & 7))) !== 0

/** With or without a port; as long as it was, or longer where the port is behind its end. */
export function put(bitmap: Uint8Array, port: number, isIn: boolean): Uint8Array {
  const at = (port - 1) >> 3
  const longer = new Uint8Array(Math.max(bitmap.length, at + 1))
  longer.set(bitmap)
  const bit = 0x80 >> ((port - 1) & 7)
  longer[at] = isIn ? (longer[at] as number) | bit : (longer[at] as number) & ~bit
  return longer
}

interface KnownVlan {
  readonly name: string
  /** All ports that are in it, and those whose frames have no tag. */
  egress: Uint8Array
  untagged: Uint8Array
}

interface Vlans {
  readonly byNumber: Map<number, KnownVlan>
  /** Numbers of bridge ports, by those of interfaces. */
  readonly bridgePorts: Map<string, number>
  readonly names: Map<number, string>
}

async function readAll(agent: SnmpAgent): Promise<Vlans> {
  const names = await readColumn(agent, mib.dot1qVlanStaticName)
  const egress = await readColumn(agent, mib.dot1qVlanStaticEgressPorts)
  const untagged = await readColumn(agent, mib.dot1qVlanStaticUntaggedPorts)
  const base = await readColumn(agent, mib.dot1dBasePortIfIndex)
  const bytes = (column: typeof egress, row: string) => column.get(row)?.bytes ?? new Uint8Array()
  const ports = await readPorts(agent)
  const bridgePorts = new Map([...base].map(([number, { value }]) => [value, Number(number)]))
  return {
    byNumber: new Map(
      [...names].map(([row, { value }]) => [
        Number(row),
        { name: value, egress: bytes(egress, row), untagged: bytes(untagged, row) },
      ]),
    ),
    bridgePorts,
    names: new Map(
      ports.flatMap(one => {
        const number = bridgePorts.get(one.index)
        return number === undefined ? [] : [[number, one.name] as const]
      }),
    ),
  }
}

export async function readVlans(
  agent: SnmpAgent,
): Promise<{ vlans: z.output<typeof vlan>[]; ports: z.output<typeof portVlans>[] }> {
  const { byNumber, names } = await readAll(agent)
  const all = [...byNumber]
  return {
    vlans: all.map(([number, { name }]) => ({ vlan: number, name })),
    ports: [...names].map(([number, port]) => ({
      port,
      untagged: all.find(([, one]) => has(one.untagged, number))?.[0] ?? null,
      tagged: all.filter(([, one]) => has(one.egress, number) && !has(one.untagged, number)).map(([at]) => at),
    })),
  }
}

export async function setVlan(agent: SnmpAgent, device: string, vlan: number, name: string | null) {
  const { byNumber, names } = await readAll(agent)
  const before = byNumber.get(vlan)
  if (name === (before?.name ?? null)) return { changed: false }
  if (name === null) {
    const inUse = [...names].filter(([port]) => before && has(before.egress, port)).map(([, port]) => port)
    if (inUse.length)
      throw deviceError('DEVICE_REFUSED', device, `ports are in VLAN ${vlan}: take ${inUse.join(', ')} out first`)
    await agent.set(`${mib.dot1qVlanStaticRowStatus}.${vlan}`, rowStatus.destroy, 'Integer')
  } else {
    if (!before) await agent.set(`${mib.dot1qVlanStaticRowStatus}.${vlan}`, rowStatus.createAndGo, 'Integer')
    await agent.set(`${mib.dot1qVlanStaticName}.${vlan}`, name, 'OctetString')
  }
  const after = (await readAll(agent)).byNumber.get(vlan)
  if ((after?.name ?? null) !== name) throw notMade(device, `VLAN ${vlan}`)
  return { changed: true }
}

/** What is to be of a port in one VLAN. */
interface Membership {
  readonly vlan: number
  readonly known: KnownVlan
  readonly isIn: boolean
  readonly isUntagged: boolean
}

/** Into VLANs first, and out of others last: so that a port is never in none. */
export async function setPortVlans(
  agent: SnmpAgent,
  device: string,
  name: string,
  { untagged, tagged }: { untagged: number | null; tagged: number[] | null },
): Promise<{ changed: boolean }> {
  const vlans = await readAll(agent)
  const { index } = getPort(device, await readPorts(agent), name)
  const port = vlans.bridgePorts.get(index)
  if (port === undefined) throw deviceError('DEVICE_REFUSED', device, `port ${name} is in no bridge, and so in no VLAN`)
  refuseUnknown(device, vlans, [...(untagged === null ? [] : [untagged]), ...(tagged ?? [])])
  const wanted = [...vlans.byNumber].map(([vlan, known]): Membership => {
    const isUntagged = untagged === null ? has(known.untagged, port) : vlan === untagged
    const wasTagged = has(known.egress, port) && !has(known.untagged, port)
    const isTagged = (tagged === null ? wasTagged : tagged.includes(vlan)) && !isUntagged
    return { vlan, known, isIn: isUntagged || isTagged, isUntagged }
  })
  const differs = ({ known, isIn, isUntagged }: Membership) =>
    has(known.egress, port) !== isIn || has(known.untagged, port) !== isUntagged
  const different = wanted.filter(differs)
  for (const one of different.filter(({ isIn }) => isIn)) await write(agent, port, one)
  if (untagged !== null) await setPvid(agent, port, untagged)
  for (const one of different.filter(({ isIn }) => !isIn)) await write(agent, port, one)
  const after = (await readAll(agent)).byNumber
  const left = wanted.filter(one => differs({ ...one, known: after.get(one.vlan) ?? one.known }))
  if (left.length) throw notMade(device, `port ${name} in VLAN ${left.map(one => one.vlan).join(', ')}`)
  return { changed: different.length > 0 }
}

function refuseUnknown(device: string, { byNumber }: Vlans, numbers: readonly number[]): void {
  const missing = numbers.find(one => !byNumber.has(one))
  if (missing === undefined) return
  const known = [...byNumber.keys()].join(', ')
  const message = `${device}: it has no VLAN ${missing}: make it with create_vlan( … ). It has ${known || 'none'}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'VLAN', id: missing })
}

async function write(agent: SnmpAgent, port: number, { vlan, known, isIn, isUntagged }: Membership): Promise<void> {
  const egress = put(known.egress, port, isIn)
  const untagged = put(known.untagged, port, isUntagged)
  const steps = [
    [mib.dot1qVlanStaticEgressPorts, egress],
    [mib.dot1qVlanStaticUntaggedPorts, untagged],
  ] as const
  // A port without tags is one that is in it: out in the other order.
  for (const [oid, bitmap] of isIn ? steps : steps.toReversed())
    await agent.set(`${oid}.${vlan}`, bitmap, 'OctetString')
}

async function setPvid(agent: SnmpAgent, port: number, vlan: number): Promise<void> {
  const oid = `${mib.dot1qPvid}.${port}`
  const [before] = await agent.get([oid])
  if (before?.value !== String(vlan)) await agent.set(oid, String(vlan))
}
