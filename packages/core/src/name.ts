import { isStorable, json } from '@contractor/plugin'
import { z } from 'zod'
import { withLfWithin } from './line-ends.ts'
import { nameUnknown } from './near-name.ts'

/** The rules for names: one schema each, for SDK, REST and resource files alike. */

const plain = /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/
const plainRule = 'must be letters, digits, - and _, beginning with a letter or digit'

/** Name of a Site, BluePrint, Script or PXE. */
export const plainName = z.string().max(40, 'must be 40 characters at the most').regex(plain, plainRule)

export const locator = z.string().max(100, 'must be 100 characters at the most').regex(plain, plainRule)

/** Host part of a DNS name (RFC 1123, section 2.1: 63 octets a label). */
export const hostname = z
  .string()
  .max(63, 'must be 63 characters at the most')
  .regex(
    /^[a-z0-9][a-z0-9-]*[a-z0-9]$/,
    'must be two or more lower case letters, digits and -, not beginning or ending with -',
  )

/**
 * As an operating system, a switch or a case names a port: `eth0.100`, `Ethernet 2`, `vEthernet (Default Switch)`, `Gi1/0/1`.
 * Nobody's rules are the same, so whatever a machine may report of its ports is taken here.
 */
export const interfaceName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(255, 'must be 255 characters at the most')
  .refine(written => !/\p{Cc}/u.test(written), 'must be without control characters')
  .refine(isStorable, 'must be without halves of characters')

export const configName = z
  .string()
  .regex(
    /^[<>~-]?[a-zA-Z0-9][a-zA-Z0-9_-]*(:[a-zA-Z0-9]+)?$/,
    'must be letters, digits, - and _, with < > ~ or - before it and :Class after it where wanted',
  )

export const configValues = z.record(configName, json).overwrite(withLfWithin)

/**
 * A page of a list: what comes after `after` in the list's order, `limit` at the most. Whatever asks for a list builds on
 * this, and takes nothing that it does not know: a filter with a typing error would give all there is.
 */
export const pageRequest = z.strictObject(
  { after: z.string().optional(), limit: z.number().int().min(1).max(1000).default(100) },
  { error: nameUnknown },
)

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
  next?: string
}

/** Cuts what was read with `limit + 1` into a page. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  cursor: (row: Row) => string | number,
  view: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(view)
  const last = rows[limit - 1]
  return rows.length > limit && last !== undefined ? { items, next: String(cursor(last)) } : { items }
}
