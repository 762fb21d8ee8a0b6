import { ContractorError, ipText, locator } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executeRows } from '../../database/database.ts'

/**
 * By what a machine is known that asks what it is told. Its config UUID is known to itself alone, and so is its own
 * address: what it gets by these is its own, with its secrets. The others name a machine that anybody may name.
 */
export const hostQuery = z.union([
  z.strictObject({ configUuid: z.uuid() }),
  z.strictObject({ structure: z.number().int().positive() }),
  z.strictObject({ foundation: locator }),
  z.strictObject({ address: ipText }),
  /** The address from which it asks. */
  z.strictObject({ ownAddress: ipText }),
])
export type HostQuery = z.output<typeof hostQuery>

export interface FoundHost {
  /** What it is told the config of: the Structure; the Foundation, while that has no Structure or is being built; or, for
   * a machine with a dynamic address that nobody knows yet, the Site. */
  readonly target: { structure: number } | { foundation: string } | { site: string }
  /** The name of what its Job has set; null when nothing is. */
  readonly pxe: string | null
  /** Whether it has shown that it is the machine that it says. */
  readonly isProven: boolean
  /** How it asks for the next thing: the end of the path. */
  readonly path: string
}

interface HostRow extends Record<string, unknown> {
  structure: number | string | null
  config_uuid: string | null
  foundation: string | null
  /** Whether the Foundation has a live Job. */
  is_preparing: boolean
  pxe: string | null
  site: string
}

/** What boots from the provisioning interface; without one, from any that has a PXE. */
const pxeOf = (foundation: SQL) => sql`(
  select pxe from contractor.network_interface port where port.foundation = ${foundation}
  order by provisioning desc, pxe is null, name limit 1)`

const machine = sql`structure.id as structure, structure.config_uuid, base.locator as foundation,
  exists (select from contractor.job where job.foundation = base.locator and job.outcome is null) as is_preparing,
  ${pxeOf(sql`base.locator`)} as pxe, coalesce(structure.site, base.site) as site`

/** NOT_FOUND when there is none, or when an address is in use at several Sites. */
export async function findHost(db: Db, query: HostQuery): Promise<FoundHost> {
  const rows = await executeRows<HostRow>(db, selectHost(query))
  const what = describeQuery(query)
  const [row] = rows
  if (!row) throw new ContractorError('NOT_FOUND', `No machine is known by ${what}`, { kind: 'machine', id: what })
  if (rows.length > 1) {
    const sites = rows.map(one => one.site).join(', ')
    const message = `Several machines have ${what}, of the Sites ${sites}. Ask by the config UUID.`
    throw new ContractorError('NOT_FOUND', message, { kind: 'machine', id: what })
  }
  const isProven = 'configUuid' in query || 'ownAddress' in query
  // Named by its Foundation while that is being built, the machine is the Foundation and nothing more.
  const asFoundation = row.structure === null || ('foundation' in query && row.is_preparing)
  const target =
    row.foundation === null
      ? { site: row.site }
      : asFoundation
        ? { foundation: row.foundation }
        : { structure: Number(row.structure) }
  return { target, pxe: row.pxe, isProven, path: isProven ? pathOfProven(row, asFoundation) : pathOf(query) }
}

function selectHost(query: HostQuery): SQL {
  if ('address' in query || 'ownAddress' in query) {
    const ip = 'address' in query ? query.address : query.ownAddress
    return sql`
      select ${machine} from contractor.address
        join contractor.structure on structure.id = address.structure
        join contractor.foundation base on base.locator = structure.foundation
        where address.ip = ${ip}::inet
      union all
      select null, null, null, false, address.pxe, block.site from contractor.address
        join contractor.address_block block on block.name = address.address_block
        where address.ip = ${ip}::inet and address.kind = 'dynamic'
      order by site limit 20`
  }
  const condition =
    'configUuid' in query
      ? sql`structure.config_uuid = ${query.configUuid}::uuid`
      : 'structure' in query
        ? sql`structure.id = ${query.structure}`
        : sql`base.locator = ${query.foundation}`
  return sql`
    select ${machine} from contractor.foundation base
    left join contractor.structure on structure.foundation = base.locator where ${condition}`
}

/** How messages name it; never by its config UUID, which is as good as a password. */
function describeQuery(query: HostQuery): string {
  if ('configUuid' in query) return 'this config UUID'
  if ('structure' in query) return `the Structure id ${query.structure}`
  if ('foundation' in query) return `the locator '${query.foundation}'`
  return `the address ${'address' in query ? query.address : query.ownAddress}`
}

function pathOf(query: HostQuery): string {
  if ('structure' in query) return `s/${query.structure}`
  if ('foundation' in query) return `f/${query.foundation}`
  return 'address' in query ? `a/${query.address}` : ''
}

function pathOfProven({ config_uuid: uuid, foundation }: HostRow, asFoundation: boolean): string {
  if (!asFoundation && uuid !== null) return `c/${uuid}`
  return foundation === null ? '' : `f/${foundation}`
}
