/**
 * What devices of one family do that no specification says, as data: a new one is a row, and a law of the same name in the
 * tests of its driver, which go through the table.
 */
export interface Quirk {
  readonly name: string
  /** What devices do. */
  readonly does: string
  /** What the driver does about it. */
  readonly remedy: string
}

/** A family's table; each name once. */
export function defineQuirks<const Rows extends readonly Quirk[]>(rows: Rows): Rows {
  const names = rows.map(row => row.name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`Two quirks are named '${twice}'`)
  return rows
}
