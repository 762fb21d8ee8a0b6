import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { anyOf } from '../database/any-of.ts'
import { type Db, executeRows } from '../database/database.ts'
import type { Hardware } from '../hardware/hardware.ts'
import { macText } from '../network/mac.ts'
import { secretMask } from '../plugin/secret.ts'

/**
 * What speaks for a machine being a Foundation. Each kind has a weight that is more than that of all later kinds
 * together, so that the first kind that differs decides between two Foundations.
 */
export const evidenceKinds = ['configUuid', 'lldp', 'mac', 'serial', 'address'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

export const weightOf: Readonly<Record<EvidenceKind, number>> = {
  configUuid: 16,
  lldp: 8,
  mac: 4,
  serial: 2,
  address: 1,
}

export const evidence = z.object({
  kind: z.enum(evidenceKinds),
  /** What the machine has shown. */
  value: z.string(),
  /** The locator of the Foundation that is known by it. */
  foundation: z.string(),
  weight: z.number().int(),
})
export type Evidence = z.output<typeof evidence>

/** What firmware says where nobody has written a serial number. */
const placeholder =
  /^(none|null|n\/?a|oem|unknown|undefined|empty|default( string)?|not (specified|available|applicable|provided|present|set)|to be filled.*|(system|chassis|base ?board|serial)( serial)?( number)?|[0.*x-]*|0?123456789)$/i

const serialsOf = ({ system, baseboard, chassis, bmc }: Hardware) =>
  [system, baseboard, chassis, bmc]
    .map(part => part?.serial)
    .filter(one => one !== undefined && one !== '' && !placeholder.test(one))

/** A switch is written by its name, whole or without its domain, or by its chassis id; a port by its id or description. */
function neighboursOf({ networkInterfaces = [] }: Hardware): string[] {
  return networkInterfaces.flatMap(({ lldp }) => (lldp ? neighbourSpellings(lldp) : []))
}

export function neighbourSpellings(lldp: NonNullable<NonNullable<Hardware['networkInterfaces']>[number]['lldp']>) {
  const { chassisId, systemName, portId, portDescription } = lldp
  const switches = [systemName, systemName?.split('.')[0], chassisId, macText.safeParse(chassisId).data]
  const ports = [portId, portDescription]
  return switches.flatMap(one => (one ? ports.flatMap(port => (port ? [`${one}/${port}`] : [])) : []))
}

/** What a machine can be known by. */
export function keysOf(report: Hardware, address: string | null) {
  const only = (values: readonly (string | undefined)[]) => [...new Set(values.filter(one => one !== undefined))]
  return {
    configUuids: only([report.configUuid]),
    neighbours: only(neighboursOf(report)),
    macs: only([report.bootMac, ...(report.networkInterfaces ?? []).map(one => one.mac)]),
    serials: only(serialsOf(report)),
    bmcMacs: only([report.bmc?.mac]),
    addresses: only([address ?? undefined]),
  }
}

/** More would be a mistake in the data, and as many are enough to put the machine aside. */
const mostEvidence = 200

/** All that speaks for any Foundation, in a fixed order: one statement, whatever the machine reports. */
export async function collectEvidence(db: Db, report: Hardware, address: string | null): Promise<Evidence[]> {
  const keys = keysOf(report, address)
  const rows = await executeRows<{ kind: EvidenceKind; value: string; foundation: string }>(
    db,
    sql`select * from (
          select 'configUuid' as kind, ${secretMask} as value, foundation from contractor.structure
            where config_uuid = ${anyOf('uuid', keys.configUuids)}
          union
          select 'lldp', neighbour, foundation from contractor.network_interface
            where foundation is not null and neighbour = ${anyOf('text', keys.neighbours)}
          union
          select 'mac', mac::text, foundation from contractor.network_interface
            where foundation is not null and mac = ${anyOf('macaddr', keys.macs)}
          union
          select 'serial', serial, locator from contractor.foundation cross join unnest(serials) as serial
            where serials && array(select jsonb_array_elements_text(${JSON.stringify(keys.serials)}::jsonb))
              and serial = ${anyOf('text', keys.serials)}
          union
          select 'serial', bmc_mac::text, locator from contractor.foundation
            where bmc_mac = ${anyOf('macaddr', keys.bmcMacs)}
          union
          select 'address', host(ip), structure.foundation from contractor.address
            join contractor.structure on structure.id = address.structure
            where address.ip = ${anyOf('inet', keys.addresses)}
        ) as found limit ${mostEvidence}`,
  )
  return sortEvidence(rows.map(row => ({ ...row, weight: weightOf[row.kind] })))
}

export const sortEvidence = (all: readonly Evidence[]): Evidence[] =>
  [...all].sort(
    (one, other) =>
      other.weight - one.weight || compare(one.foundation, other.foundation) || compare(one.value, other.value),
  )

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
