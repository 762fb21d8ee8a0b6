import { ContractorError, type Pxe, type PxeInput } from '@contractor/contract'
import { eq, sql } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { pxe } from '../../database/schema.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { Saved } from '../../noun/saved.ts'
import { checkSaved } from '../../noun/saved.ts'
import { shownStamps } from '../../noun/stamps.ts'

/** Saves PXEs; says of each what that did, in their order. A number of statements that does not grow with them. */
export async function putPxes(
  engine: Engine,
  tx: Db,
  inputs: readonly PxeInput[],
  options: CallOptions,
): Promise<Saved<PxeInput>[]> {
  if (!inputs.length) return []
  const names = JSON.stringify(inputs.map(input => input.name))
  takingLock(tx, 'pxe')
  const rows = await tx
    .select()
    .from(pxe)
    .where(sql`${pxe.name} in (select value from jsonb_array_elements_text(${names}::jsonb))`)
    .orderBy(pxe.name)
    .for('update')
  const present = new Map(rows.map(row => [row.name, row]))
  const saved = inputs.map((after): Saved<PxeInput> => {
    const row = present.get(after.name)
    checkSaved('PXE', after.name, row, options)
    const before = row && { name: row.name, bootScript: row.bootScript, template: row.template }
    const same = before?.bootScript === after.bootScript && before.template === after.template
    return { change: !before ? 'created' : same ? 'unchanged' : 'changed', before, after }
  })
  const changed = saved.filter(one => one.change !== 'unchanged')
  if (!changed.length) return saved
  const now = engine.clock.now()
  await tx.execute(
    sql`insert into contractor.pxe (name, boot_script, template, created_at, updated_at)
        select name, "bootScript", template, ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(changed.map(one => one.after))}::jsonb)
          as new(name text, "bootScript" text, template text)
        order by name
        on conflict (name) do update set boot_script = excluded.boot_script, template = excluded.template,
          updated_at = excluded.updated_at`,
  )
  await recordEvents(
    engine,
    tx,
    changed.map(({ change, after }) => ({
      type: change === 'created' ? ('pxe.created' as const) : ('pxe.changed' as const),
      by: whoIs(options),
      data: { pxe: after.name },
    })),
  )
  return saved
}

export async function requirePxe(db: Db, name: string): Promise<Pxe> {
  const [row] = await db.select().from(pxe).where(eq(pxe.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `PXE '${name}' does not exist`, { kind: 'PXE', id: name })
  return toPxe(row)
}

export function toPxe(row: typeof pxe.$inferSelect): Pxe {
  return { name: row.name, bootScript: row.bootScript, template: row.template, ...shownStamps(row) }
}

export async function loadPxeNames(db: Db): Promise<ReadonlySet<string>> {
  return new Set((await db.select({ name: pxe.name }).from(pxe)).map(row => row.name))
}
