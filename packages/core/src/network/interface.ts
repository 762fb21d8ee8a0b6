import { ContractorError, type InterfaceView } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'
import { readStamps, type StampRow } from '../noun/stamps.ts'

interface Row extends StampRow {
  id: number | string
  structure: number | string | null
  physical_location: string | null
  parameters: Values
}

/** Interfaces with the names of their members, in the order of their ids. */
export async function selectInterfaces(db: Db, condition: SQL, limit?: number): Promise<InterfaceView[]> {
  const rows = await executeRows<Row & Omit<InterfaceView, 'id' | 'structure'>>(
    db,
    sql`select port.id, port.kind, port.name, port.foundation, port.structure, port.network, port.mac::text,
          port.physical_location, port.neighbour, port.provisioning, port.pxe, port.parameters, port.version,
          to_json(array(select member.name from contractor.interface_member part
            join contractor.network_interface member on member.id = part.member
            where part.aggregate = port.id order by part.position)) as members,
          (extract(epoch from port.created_at) * 1000)::bigint::text as created_ms,
          (extract(epoch from port.updated_at) * 1000)::bigint::text as updated_ms
        from contractor.network_interface port where ${condition} order by port.id ${limit === undefined ? sql`` : sql`limit ${limit}`}`,
  )
  return rows.map(({ id, structure, version, created_ms, updated_ms, physical_location, ...row }) => ({
    ...row,
    id: Number(id),
    structure: structure === null ? null : Number(structure),
    physicalLocation: physical_location,
    ...readStamps({ version, created_ms, updated_ms }),
  }))
}

export async function requireInterface(db: Db, id: number): Promise<InterfaceView> {
  const [found] = await selectInterfaces(db, sql`port.id = ${id}`)
  if (!found) throw new ContractorError('NOT_FOUND', `Interface ${id} does not exist`, { kind: 'Interface', id })
  return found
}

/** How messages name an interface. */
export function interfaceTitle(one: { name: string; foundation?: string | null; structure?: number | null }): string {
  const owner = one.foundation ? `Foundation '${one.foundation}'` : `Structure ${one.structure}`
  return `Interface '${one.name}' of ${owner}`
}

/**
 * Those that a Structure sees under a name: its own, or its Foundation's. Two lookups by index for each row that it is
 * joined to; one join with `or` would compare all interfaces of that name.
 */
export const portNamed = (name: SQL, foundation: SQL, structure: SQL): SQL => sql`(
  select * from contractor.network_interface where foundation = ${foundation} and name = ${name}
  union all
  select * from contractor.network_interface where structure = ${structure} and name = ${name})`
