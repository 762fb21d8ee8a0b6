import { ContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { recordEvents } from '../event/record-events.ts'
import { requireAddress } from './address.ts'
import { changeAddress } from './change-address.ts'

/** Where the Address is, on the machine of a Foundation, that has turned out to be another one. */
export interface Move {
  foundation: string
  interface: string
  ip: string
  by: string
}

/**
 * Moves the Address that the Structure on a Foundation has on an interface, its primary one before others: to the block that has the new
 * one, with everything checked as for a new Address. Nothing happens where it is that already.
 */
export async function moveAddress(
  engine: Engine,
  tx: Db,
  { foundation, interface: name, ip, by }: Move,
): Promise<void> {
  const [found] = await executeRows<{ id: string | number; isThere: boolean }>(
    tx,
    sql`select address.id, address.ip = ${ip}::inet as "isThere" from contractor.address
        join contractor.structure on structure.id = address.structure
        where structure.foundation = ${foundation} and address.interface = ${name}
        order by address."primary" desc, address.alias nulls first, address.id limit 1`,
  )
  if (!found) {
    const message = `No Structure on Foundation '${foundation}' has an Address on interface '${name}' that could become ${ip}`
    throw new ContractorError('NOT_FOUND', message, { kind: 'Address', id: ip })
  }
  if (found.isThere) return
  const id = Number(found.id)
  // In a step of its own: its locks come behind those that the transition has.
  await tx.transaction(async inner => {
    await changeAddress(engine, inner, id, { ip }, {})
    const { version, structure, addressBlock } = await requireAddress(inner, id)
    await recordEvents(engine, inner, [
      { type: 'address.changed', by, subject: String(id), version, structure, data: { ip, addressBlock } },
    ])
  })
}
