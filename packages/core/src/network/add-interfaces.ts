import type { InterfaceInput } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { anyText } from '../database/any-of.ts'
import { type Db, executeRows } from '../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../engine/engine.ts'
import { recordEvents } from '../event/record-events.ts'
import { refuseUnknown } from '../noun/references.ts'
import { lockOwners, refuseRepeats, refuseTakenMacs, refuseTakenNames } from './interface-laws.ts'
import { setMembers } from './interface-members.ts'
import { refuseUnknownPorts } from './physical-names.ts'

/** Adds many interfaces, in the order in which they are given, with a constant number of statements; gives their ids. */
export async function addInterfaces(
  engine: Engine,
  tx: Db,
  inputs: readonly InterfaceInput[],
  options: CallOptions,
): Promise<number[]> {
  if (!inputs.length) return []
  const real = inputs.filter(one => one.kind === 'real')
  refuseRepeats(inputs)
  await lockOwners(tx, inputs)
  await refuseUnknown(tx, {
    Foundation: real.map(one => one.foundation),
    Structure: inputs.flatMap(one => ('structure' in one ? [one.structure] : [])),
    Network: inputs.map(one => one.network),
    PXE: real.map(one => one.pxe),
  })
  await refuseTakenNames(tx, inputs)
  await refuseTakenMacs(
    tx,
    real.flatMap(one => one.mac ?? []),
  )
  await refuseUnknownPorts(tx, real)
  await takeProvisioning(
    engine,
    tx,
    real.filter(one => one.provisioning).map(one => one.foundation),
  )
  const ids = await insertInterfaces(engine, tx, inputs)
  await setMembers(
    tx,
    inputs.flatMap((one, at) => (one.kind === 'aggregated' ? [{ ...one, id: ids[at] as number }] : [])),
  )
  await recordEvents(
    engine,
    tx,
    inputs.map(one => ({
      type: 'interface.created' as const,
      by: whoIs(options),
      ...('foundation' in one ? { foundation: one.foundation } : { structure: one.structure }),
      data: { interface: one.name },
    })),
  )
  return ids
}

/** A Foundation is installed from one interface: what is to be it now takes that from the one that was. */
export async function takeProvisioning(engine: Engine, tx: Db, foundations: readonly string[]): Promise<void> {
  if (!foundations.length) return
  await tx.execute(
    sql`update contractor.network_interface set provisioning = false, updated_at = ${engine.clock.now()}
        where provisioning and foundation = ${anyText(foundations)}`,
  )
}

async function insertInterfaces(engine: Engine, tx: Db, inputs: readonly InterfaceInput[]): Promise<number[]> {
  const now = engine.clock.now()
  const rows = await executeRows<{ id: number | string }>(
    tx,
    sql`insert into contractor.network_interface
          (kind, name, foundation, structure, network, mac, physical_location, neighbour, provisioning, pxe, parameters, created_at, updated_at)
        select kind::contractor.interface_kind, name, foundation, structure, network, mac::macaddr, "physicalLocation",
          neighbour, coalesce(provisioning, false), pxe, coalesce(parameters, '{}'), ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(inputs.map((one, place) => ({ ...one, place })))}::jsonb)
          as new(place int, kind text, name text, foundation text, structure bigint, network text, mac text,
            "physicalLocation" text, neighbour text, provisioning boolean, pxe text, parameters jsonb)
        order by place
        returning id`,
  )
  // The ids are given out in the order of the rows, and so say which is whose.
  return rows.map(row => Number(row.id)).sort((one, other) => one - other)
}
