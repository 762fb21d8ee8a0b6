import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { pxe } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { plainName } from '../name.ts'
import type { Change } from '../script/scripts.ts'

/** What a network-booting machine is given: a boot script and a template. */
export const pxeInput = z.strictObject({ name: plainName, bootScript: z.string(), template: z.string().default('') })

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
