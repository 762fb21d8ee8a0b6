import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { pxe } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { plainName } from '../name.ts'
import { ContractorError } from '../plugin/error.ts'
import type { Change } from '../script/scripts.ts'

/** What a network-booting machine is given: a boot script (for iPXE) and a template (for the installer), both in Jinja2. */
export const pxeInput = z.strictObject({ name: plainName, bootScript: z.string(), template: z.string().default('') })

export const pxeView = pxeInput.extend({ updatedAt: z.iso.datetime() })
export type Pxe = z.output<typeof pxeView>

export async function putPxe(
  engine: Engine,
  tx: Db,
  { name, bootScript, template }: z.output<typeof pxeInput>,
): Promise<Change> {
  const [present] = await tx.select().from(pxe).where(eq(pxe.name, name)).for('update')
  const now = engine.clock.now()
  if (!present) {
    await tx.insert(pxe).values({ name, bootScript, template, createdAt: now, updatedAt: now })
    return 'created'
  }
  if (present.bootScript === bootScript && present.template === template) return 'unchanged'
  await tx.update(pxe).set({ bootScript, template, updatedAt: now }).where(eq(pxe.name, name))
  return 'changed'
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
