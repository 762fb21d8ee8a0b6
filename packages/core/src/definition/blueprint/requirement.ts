import { findSizeBytes, type NumberRequirement, type SizeRequirement, type TextRequirement } from '@contractor/contract'
import { RE2JS } from 're2js'

export type Requirement = TextRequirement | NumberRequirement | SizeRequirement | boolean

/** A disk sold as 1TB has a few bytes more: within one percent, a size is the one that was named. */
const sizeTolerance = 0.01

export function meetsText(wanted: TextRequirement, found: string | undefined): boolean {
  if (found === undefined) return false
  if (typeof wanted === 'string') return wanted === found
  return Array.isArray(wanted) ? wanted.includes(found) : RE2JS.compile(wanted.pattern).matcher(found).find()
}

export function meetsNumber(wanted: NumberRequirement, found: number | undefined): boolean {
  if (found === undefined) return false
  if (typeof wanted === 'number') return wanted === found
  if (Array.isArray(wanted)) return wanted.includes(found)
  return found >= (wanted.min ?? 0) && found <= (wanted.max ?? Number.POSITIVE_INFINITY)
}

/** A range is met to the byte. */
export function meetsSize(wanted: SizeRequirement, foundBytes: number | undefined): boolean {
  if (foundBytes === undefined) return false
  const bytes = (written: string | number) => findSizeBytes(written) ?? Number.NaN
  const isNear = (written: string | number) =>
    Math.abs(foundBytes - bytes(written)) <= (typeof written === 'number' ? 0 : bytes(written) * sizeTolerance)
  if (typeof wanted !== 'object') return isNear(wanted)
  if (Array.isArray(wanted)) return wanted.some(isNear)
  const { min, max } = wanted
  return !(min !== undefined && foundBytes < bytes(min)) && !(max !== undefined && foundBytes > bytes(max))
}

/** As a message says it: `2`, `2 or 4`, `2 at least`, `2 to 4`, `like /^Xeon/`. */
export function describeRequirement(wanted: Requirement): string {
  if (typeof wanted !== 'object') return JSON.stringify(wanted).replaceAll('"', "'")
  if (Array.isArray(wanted)) return wanted.map(one => describeRequirement(one)).join(' or ')
  if ('pattern' in wanted) return `like /${wanted.pattern}/`
  const { min, max } = wanted
  if (max === undefined) return `${min} at least`
  return min === undefined ? `${max} at the most` : `${min} to ${max}`
}
