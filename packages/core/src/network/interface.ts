import { ContractorError, json } from '@contractor/plugin'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'
import { interfaceName, locator, plainName } from '../name.ts'
import { macText } from './mac.ts'

const parameters = z.record(z.string(), json)
const members = z.array(interfaceName).min(1, 'must name one member at least')
const structureId = z.number().int().positive()
/** Switches name their ports as they like: `Port 2`, `Gi1/0/1`, `1:12`. The first slash is the one between the two. */
const neighbour = z
  .string()
  .trim()
  .max(200, 'must be 200 characters at the most')
  .regex(
    /^[^/\p{Cc}]*[^/\p{Cc}\s]\s*\/\s*[^\s\p{Cc}][^\p{Cc}]*$/u,
    'must be the switch and its port, as switch1/ge-0/0/7',
  )
  .transform(written => written.replace(/\s*\/\s*/, '/'))

export const realInterface = z.strictObject({
  kind: z.literal('real'),
  /** The locator of its Foundation. */
  foundation: locator,
  name: interfaceName,
  mac: macText.nullable().default(null),
  physicalLocation: interfaceName.nullable().default(null),
  /** The switch and its port, as LLDP reports them there. */
  neighbour: neighbour.nullable().default(null),
  /** Booted and installed from; setting it on one takes it from the Foundation's others. */
  provisioning: z.boolean().default(false),
  network: plainName.nullable().default(null),
  pxe: plainName.nullable().default(null),
})

export const abstractInterface = z.strictObject({
  kind: z.literal('abstract'),
  /** The id of its Structure. */
  structure: structureId,
  name: interfaceName,
  network: plainName.nullable().default(null),
})

export const aggregatedInterface = abstractInterface.extend({
  kind: z.literal('aggregated'),
  /** Names of real interfaces of its Foundation, or abstract ones of its Structure, in their order. */
  members,
  parameters: parameters.default({}),
})

export const interfaceInput = z.discriminatedUnion('kind', [realInterface, abstractInterface, aggregatedInterface])
export type InterfaceInput = z.output<typeof interfaceInput>

// Without the defaults of creation: what is not given stays as it is.
const connection = { name: interfaceName, network: plainName.nullable() }
export const interfaceChanges = {
  real: z
    .strictObject({
      ...connection,
      mac: macText.nullable(),
      physicalLocation: interfaceName.nullable(),
      neighbour: neighbour.nullable(),
      provisioning: z.boolean(),
      pxe: plainName.nullable(),
    })
    .partial(),
  abstract: z.strictObject(connection).partial(),
  aggregated: z.strictObject({ ...connection, members, parameters }).partial(),
} as const

/** What one may change; which of it depends on the interface's kind. */
export type InterfaceChanges = z.input<(typeof interfaceChanges)['real']> &
  z.input<(typeof interfaceChanges)['aggregated']>

export const interfaceView = z.object({
  id: z.number().int(),
  kind: z.enum(['real', 'abstract', 'aggregated']),
  name: z.string(),
  /** Of a real one. */
  foundation: z.string().nullable(),
  /** Of an abstract or aggregated one. */
  structure: z.number().int().nullable(),
  network: z.string().nullable(),
  mac: z.string().nullable(),
  physicalLocation: z.string().nullable(),
  neighbour: z.string().nullable(),
  provisioning: z.boolean(),
  pxe: z.string().nullable(),
  members: z.array(z.string()),
  parameters: z.record(z.string(), json),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type InterfaceView = z.output<typeof interfaceView>

interface Row extends Record<string, unknown> {
  id: number | string
  structure: number | string | null
  created_ms: string
  updated_ms: string
  physical_location: string | null
  parameters: Values
}

/** Interfaces with the names of their members, in the order of their ids. */
export async function selectInterfaces(db: Db, condition: SQL, limit?: number): Promise<InterfaceView[]> {
  const rows = await executeRows<Row & Omit<InterfaceView, 'id' | 'structure'>>(
    db,
    sql`select port.id, port.kind, port.name, port.foundation, port.structure, port.network, port.mac::text,
          port.physical_location, port.neighbour, port.provisioning, port.pxe, port.parameters,
          to_json(array(select member.name from contractor.interface_member part
            join contractor.network_interface member on member.id = part.member
            where part.aggregate = port.id order by part.position)) as members,
          (extract(epoch from port.created_at) * 1000)::bigint::text as created_ms,
          (extract(epoch from port.updated_at) * 1000)::bigint::text as updated_ms
        from contractor.network_interface port where ${condition} order by port.id ${limit === undefined ? sql`` : sql`limit ${limit}`}`,
  )
  return rows.map(({ id, structure, created_ms, updated_ms, physical_location, ...row }) => ({
    ...row,
    id: Number(id),
    structure: structure === null ? null : Number(structure),
    physicalLocation: physical_location,
    createdAt: new Date(Number(created_ms)).toISOString(),
    updatedAt: new Date(Number(updated_ms)).toISOString(),
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
