import { type Evidence, type EvidenceKind, type Hardware, macText, secretMask } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { anyOf } from '../../database/any-of.ts'
import { type Db, executeRows } from '../../database/database.ts'
import { bmcMark, cardMacsOf, fold, isSameMachine, macMark, marksOf, serialMark, serialsOf } from './marks.ts'

export const weightOf: Readonly<Record<EvidenceKind, number>> = {
  configUuid: 16,
  lldp: 8,
  mac: 4,
  serial: 2,
  address: 1,
}

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
    macs: only(cardMacsOf(report)),
    serials: only(serialsOf(report)),
    bmcMacs: only([report.bmc?.mac]),
    addresses: only([address ?? undefined]),
  }
}

/** More would be a mistake in the data, and as many are enough to put the machine aside. */
const mostEvidence = 200

const foldedAll = (keys: readonly string[]) =>
  sql`contractor.fold_all(array(select jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb)))`

/**
 * All that speaks for any Foundation, in a fixed order: two statements, whatever the machine reports. What a Foundation
 * shares with another one, or the machine with another one, weighs nothing.
 */
export async function collectEvidence(db: Db, { identifier, hardware, address }: Shower): Promise<Evidence[]> {
  const keys = keysOf(hardware, address)
  const rows = await executeRows<{ kind: EvidenceKind; value: string; foundation: string }>(
    db,
    sql`select * from (
          select 'configUuid' as kind, ${secretMask} as value, foundation from contractor.structure
            where config_uuid = ${anyOf('uuid', keys.configUuids)}
          union
          select 'lldp', neighbour, foundation from contractor.network_interface
            where foundation is not null and lower(neighbour) = ${anyOf('text', keys.neighbours.map(fold))}
          union
          select 'mac', mac::text, foundation from contractor.network_interface
            where foundation is not null and mac = ${anyOf('macaddr', keys.macs)}
          union
          select 'serial', serial, locator from contractor.foundation cross join unnest(serials) as serial
            where contractor.fold_all(serials) && ${foldedAll(keys.serials)}
              and contractor.fold_all(array[serial]) <@ ${foldedAll(keys.serials)}
          union
          select 'serial', bmc_mac::text, locator from contractor.foundation
            where bmc_mac = ${anyOf('macaddr', keys.bmcMacs)}
          union
          select 'address', host(ip), structure.foundation from contractor.address
            join contractor.structure on structure.id = address.structure
            where address.ip = ${anyOf('inet', keys.addresses)}
        ) as found limit ${mostEvidence}`,
  )
  const known = rows.map((row): Evidence => ({ ...row, weight: weightOf[row.kind] }))
  return sortEvidence(weigh(known, await findSharers(db, identifier, marksOf(hardware))))
}

interface Shower {
  /** The record of the machine that shows it. */
  readonly identifier: string
  readonly hardware: Hardware
  readonly address: string | null
}

/** As many others as are looked at to find out whether a mark tells machines from each other. */
const mostSharers = 100

/** Which other machine shows a mark too. The same machine under another name is no other one. */
async function findSharers(db: Db, identifier: string, marks: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (!marks.length) return new Map()
  const rows = await executeRows<{ identifier: string; marks: string[] }>(
    db,
    sql`select identifier, to_jsonb(marks) as marks from contractor.cartographer
        where marks && array(select jsonb_array_elements_text(${JSON.stringify(marks)}::jsonb))
          and identifier <> ${identifier}
        order by identifier limit ${mostSharers}`,
  )
  const others = rows.filter(row => isSameMachine(marks, row.marks) === false)
  return new Map(
    marks.flatMap(mark => {
      const other = others.find(row => row.marks.includes(mark))
      return other ? [[mark, other.identifier]] : []
    }),
  )
}

/** Takes the weight from what does not tell. */
function weigh(all: readonly Evidence[], sharers: ReadonlyMap<string, string>): Evidence[] {
  return all.map(one => {
    const sharer = one.kind === 'mac' || one.kind === 'serial' ? sharerOf(one.value, sharers) : undefined
    if (sharer !== undefined) return { ...one, weight: 0, note: `machine '${sharer}' shows it too` }
    if (one.kind !== 'serial' && one.kind !== 'lldp') return one
    const rival = all.find(
      it => it.kind === one.kind && it.foundation !== one.foundation && fold(it.value) === fold(one.value),
    )
    return rival ? { ...one, weight: 0, note: `Foundation '${rival.foundation}' has it too` } : one
  })
}

const sharerOf = (value: string, sharers: ReadonlyMap<string, string>) =>
  [macMark, bmcMark, serialMark].map(mark => sharers.get(mark(value))).find(one => one !== undefined)

export const sortEvidence = (all: readonly Evidence[]): Evidence[] =>
  [...all].sort(
    (one, other) =>
      other.weight - one.weight || compare(one.foundation, other.foundation) || compare(one.value, other.value),
  )

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
