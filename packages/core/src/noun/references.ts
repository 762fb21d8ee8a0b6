import { ContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'

/** Names of what an input refers to, by kind. */
export interface References {
  Site?: readonly (string | null | undefined)[]
  Foundation?: readonly (string | null | undefined)[]
  Structure?: readonly (number | null | undefined)[]
  Network?: readonly (string | null | undefined)[]
  AddressBlock?: readonly (string | null | undefined)[]
  PXE?: readonly (string | null | undefined)[]
  Complex?: readonly (string | null | undefined)[]
  Plot?: readonly (string | null | undefined)[]
}

/** NOT_FOUND that names the first of them that does not exist; one statement, and none when there is nothing to ask. */
export async function refuseUnknown(db: Db, references: References): Promise<void> {
  const wanted = Object.entries(references).flatMap(([kind, names]) =>
    [...new Set<string | number | null | undefined>(names)].flatMap(name =>
      name === null || name === undefined ? [] : [{ kind, name: String(name) }],
    ),
  )
  if (!wanted.length) return
  const [missing] = await executeRows<{ kind: string; name: string }>(
    db,
    sql`select kind, wanted.name
        from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as wanted(kind text, name text)
        where not case kind
          when 'Site' then exists (select from contractor.site where name = wanted.name)
          when 'Foundation' then exists (select from contractor.foundation where locator = wanted.name)
          when 'Structure' then exists (select from contractor.structure where id = wanted.name::bigint)
          when 'Network' then exists (select from contractor.network where name = wanted.name)
          when 'AddressBlock' then exists (select from contractor.address_block where name = wanted.name)
          when 'Complex' then exists (select from contractor.complex where name = wanted.name)
          when 'Plot' then exists (select from contractor.plot where name = wanted.name)
          else exists (select from contractor.pxe where name = wanted.name) end
        order by kind, name limit 1`,
  )
  if (!missing) return
  const { kind, name } = missing
  const id = kind === 'Structure' ? Number(name) : name
  const shown = kind === 'Structure' ? name : `'${name}'`
  throw new ContractorError('NOT_FOUND', `${kind} ${shown} does not exist`, { kind, id })
}

/** One VALIDATION_FAILED about one field, whose message is a whole sentence. */
export function refuseField(path: string, message: string): ContractorError<'VALIDATION_FAILED'> {
  return new ContractorError('VALIDATION_FAILED', message, { issues: [{ path, message }] })
}
