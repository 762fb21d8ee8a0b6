import { z } from 'zod'

const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  pb: 1e15,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  pib: 2 ** 50,
}

/** Bytes of `64GiB` (powers of 1024), `1.92TB` (powers of 1000), or a number; undefined for what is no size. */
export function findSizeBytes(written: string | number): number | undefined {
  if (typeof written === 'number') return Number.isSafeInteger(written) && written >= 0 ? written : undefined
  const [, digits, unit] = /^(\d{1,12}(?:\.\d{1,6})?) ?([kmgtp]?i?b)$/i.exec(written) ?? []
  const factor = unit === undefined ? undefined : units[unit.toLowerCase()]
  if (factor === undefined) return undefined
  const sizeBytes = Math.round(Number(digits) * factor)
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined
}

export const size = z
  .union([z.number(), z.string()])
  .refine(
    written => findSizeBytes(written) !== undefined,
    "must be a size such as '64GiB' or '1TB', or a number of bytes",
  )
  .meta({ id: 'Size' })
