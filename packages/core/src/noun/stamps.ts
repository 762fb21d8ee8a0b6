/** A row's version and moments, as views show them. */
export const shownStamps = (row: { version: number; createdAt: Date; updatedAt: Date }) => ({
  version: row.version,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Of a row that was read without the builder, with the moments as `stampColumns` has them. */
export const readStamps = (row: StampRow) => ({
  version: Number(row.version),
  createdAt: new Date(Number(row.created_ms)).toISOString(),
  updatedAt: new Date(Number(row.updated_ms)).toISOString(),
})

export interface StampRow extends Record<string, unknown> {
  version: number | string
  created_ms: string
  updated_ms: string
}
