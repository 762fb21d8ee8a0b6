import { ContractorError } from '@contractor/plugin'
import { eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Saved } from '../change.ts'
import type { Db } from '../database/database.ts'
import { pxe } from '../database/schema.ts'
import { type CallOptions, type Engine, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { recordEvents } from '../event/record-events.ts'
import { lines } from '../line-ends.ts'
import { plainName } from '../name.ts'

/** What a network-booting machine is given: a boot script (for iPXE) and a template (for the installer), both in Jinja2. */
export const pxeInput = z.strictObject({
  name: plainName,
  bootScript: lines(z.string()),
  template: lines(z.string()).default(''),
})

export type PxeInput = z.output<typeof pxeInput>

export const pxeView = pxeInput.extend({ updatedAt: z.iso.datetime() })
export type Pxe = z.output<typeof pxeView>

/** Saves PXEs; says of each what that did, in their order. A number of statements that does not grow with them. */
export async function putPxes(
  engine: Engine,
  tx: Db,
  inputs: readonly PxeInput[],
  options: CallOptions,
): Promise<Saved<PxeInput>[]> {
  if (!inputs.length) return []
  const names = JSON.stringify(inputs.map(input => input.name))
  const rows = await tx
    .select()
    .from(pxe)
    .where(sql`${pxe.name} in (select value from jsonb_array_elements_text(${names}::jsonb))`)
    .orderBy(pxe.name)
    .for('update')
  const present = new Map(rows.map(({ name, bootScript, template }) => [name, { name, bootScript, template }]))
  const saved = inputs.map((after): Saved<PxeInput> => {
    const before = present.get(after.name)
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
    tx,
    engine.clock,
    changed.map(({ change, after }) => ({
      type: change === 'created' ? ('pxe.created' as const) : ('pxe.changed' as const),
      by: whoIs(options),
      data: { pxe: after.name },
    })),
  )
  await notify(tx, 'event')
  return saved
}

export async function requirePxe(db: Db, name: string): Promise<Pxe> {
  const [row] = await db.select().from(pxe).where(eq(pxe.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `PXE '${name}' does not exist`, { kind: 'PXE', id: name })
  return toPxe(row)
}

export function toPxe({ name, bootScript, template, updatedAt }: typeof pxe.$inferSelect): Pxe {
  return { name, bootScript, template, updatedAt: updatedAt.toISOString() }
}

export async function loadPxeNames(db: Db): Promise<ReadonlySet<string>> {
  return new Set((await db.select({ name: pxe.name }).from(pxe)).map(row => row.name))
}
