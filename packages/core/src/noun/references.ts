import { ContractorError, type ObjectKind } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { notFound } from './refuse.ts'

/** Where the objects of each kind are, and by what they are known. */
const tables: Readonly<Record<ObjectKind, readonly [table: string, key: string]>> = {
  Site: ['site', 'name'],
  BluePrint: ['blueprint', 'name'],
  Script: ['script', 'name'],
  PXE: ['pxe', 'name'],
  Foundation: ['foundation', 'locator'],
  Structure: ['structure', 'id'],
  Complex: ['complex', 'name'],
  Dependency: ['dependency', 'id'],
  Job: ['job', 'id'],
  Cartographer: ['cartographer', 'identifier'],
  Plot: ['plot', 'name'],
  AddressBlock: ['address_block', 'name'],
  Network: ['network', 'name'],
  Interface: ['network_interface', 'id'],
  Address: ['address', 'id'],
  Zone: ['zone', 'name'],
  Entry: ['zone_entry', 'id'],
  Service: ['service', 'id'],
}

/** Names of what an input refers to, by kind. */
export type References = { [Kind in ObjectKind]?: readonly (string | number | null | undefined)[] }

/** Whether there is one of a kind called so: a text that is no number is the id of nothing. */
const exists = sql.raw(
  Object.entries(tables)
    .map(
      ([kind, [table, key]]) =>
        `when '${kind}' then exists (select from contractor.${table} where ${key} = ${key === 'id' ? `case when wanted.name ~ '^[0-9]{1,18}$' then wanted.name::bigint end` : 'wanted.name'})`,
    )
    .join('\n'),
)

/** NOT_FOUND that names the first of them that does not exist; one statement, and none when there is nothing to ask. */
export async function refuseUnknown(db: Db, references: References): Promise<void> {
  const wanted = Object.entries(references).flatMap(([kind, names]) =>
    [...new Set<string | number | null | undefined>(names)].flatMap(name =>
      name === null || name === undefined ? [] : [{ kind, name: String(name) }],
    ),
  )
  if (!wanted.length) return
  const [missing] = await executeRows<{ kind: ObjectKind; name: string }>(
    db,
    sql`select kind, wanted.name
        from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as wanted(kind text, name text)
        where not case kind ${exists} end
        order by kind, name limit 1`,
  )
  if (missing) throw notFound(missing.kind, tables[missing.kind][1] === 'id' ? Number(missing.name) : missing.name)
}

/** One VALIDATION_FAILED about one field, whose message is a whole sentence. */
export function refuseField(path: string, message: string): ContractorError<'VALIDATION_FAILED'> {
  return new ContractorError('VALIDATION_FAILED', message, { issues: [{ path, message }] })
}
