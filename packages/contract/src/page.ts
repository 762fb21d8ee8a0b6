import { z } from 'zod'
import { nameUnknown } from './primitives/near-name.ts'

/**
 * A page of a list: what comes after `after` in the list's order, `limit` at the most. Whatever asks for a list builds on
 * this, and takes nothing that it does not know: a filter with a typing error would give all there is.
 */
export const pageRequest = z.strictObject(
  { after: z.string().optional(), limit: z.number().int().min(1).max(1000).default(100) },
  { error: nameUnknown },
)

/** A question in the language of filters: `state == 'built' and site in subtree( 'lab' )`. See docs/filters.md. */
export const filterText = z.string().max(4000)

/** Of a list in the order of ids, whose cursors are these. */
export const idPageRequest = pageRequest.extend({
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'is no cursor of this list')
    .optional(),
})

export interface Page<Item> {
  items: Item[]
  /** Pass as `after` for the next page; absent on the last. */
  next?: string | undefined
}

export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().optional() })
