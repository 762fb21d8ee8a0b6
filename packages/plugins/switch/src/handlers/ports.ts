import { deviceError } from '@contractor/driver'
import type { SnmpAgent } from '@contractor/driver/snmp'
import { ContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { switchPort } from '../tasks.ts'
import { macOf, mib, readColumn } from './mib.ts'

type SwitchPort = z.output<typeof switchPort>

/** A port, with its number among the switch's interfaces, and its long name. */
export interface NumberedPort extends SwitchPort {
  readonly index: string
  readonly longName: string
}

export async function readPorts(agent: SnmpAgent): Promise<NumberedPort[]> {
  const read = (oid: string) => readColumn(agent, oid)
  const longs = await read(mib.ifDescr)
  const names = await read(mib.ifName)
  const aliases = await read(mib.ifAlias)
  const admins = await read(mib.ifAdminStatus)
  const opers = await read(mib.ifOperStatus)
  const speeds = await read(mib.ifHighSpeed)
  const addresses = await read(mib.ifPhysAddress)
  return [...longs].map(([index, { value: longName }]) => {
    const bytes = addresses.get(index)?.bytes
    const speed = Number(speeds.get(index)?.value ?? 0)
    return {
      ...{ index, longName, name: names.get(index)?.value || longName, description: aliases.get(index)?.value ?? '' },
      ...{ up: admins.get(index)?.value === '1', link: opers.get(index)?.value === '1' },
      ...{ speed: speed > 0 ? speed : null, mac: bytes?.length === 6 ? macOf(bytes) : null },
    }
  })
}

/** By its short or long name. */
export function getPort(device: string, ports: readonly NumberedPort[], name: string): NumberedPort {
  const wanted = name.toLowerCase()
  const found = ports.filter(one => one.name.toLowerCase() === wanted || one.longName.toLowerCase() === wanted)
  const [port, other] = found
  if (port && !other) return port
  const known = ports.map(one => one.name).join(', ')
  if (port) throw deviceError('DEVICE_REFUSED', device, `'${name}' is the name of ${found.length} ports: ${known}`)
  const message = `${device}: it has no port '${name}': it has ${known.slice(0, 500) || 'none'}`
  throw new ContractorError('NOT_FOUND', message, { kind: 'port', id: name })
}

export const withoutNumbers = ({ index: _, longName: __, ...port }: NumberedPort): SwitchPort => port

/** Where a switch takes a change and does nothing. */
export const notMade = (device: string, what: string): Error =>
  deviceError('DEVICE_REFUSED', device, `it took the change of ${what}, and has not made it`)

export async function setPort(
  agent: SnmpAgent,
  device: string,
  name: string,
  { up, description }: { up: boolean | null; description: string | null },
): Promise<{ changed: boolean }> {
  const port = getPort(device, await readPorts(agent), name)
  const isUp = up === null || port.up === up
  const isDescribed = description === null || port.description === description
  if (isUp && isDescribed) return { changed: false }
  if (!isDescribed) await agent.set(`${mib.ifAlias}.${port.index}`, description, 'OctetString')
  if (!isUp) await agent.set(`${mib.ifAdminStatus}.${port.index}`, up ? '1' : '2')
  const after = getPort(device, await readPorts(agent), name)
  if (up !== null && after.up !== up) throw notMade(device, `port ${name}`)
  if (description !== null && after.description !== description) throw notMade(device, `port ${name}`)
  return { changed: true }
}
