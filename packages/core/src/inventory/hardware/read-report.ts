import { ContractorError, cutText, type Hardware, hardware, type Omission, whyNoMac } from '@contractor/contract'
import type { z } from 'zod'

/**
 * Reads what a machine reports of itself. Firmware and drivers say odd things (a speed of -1, a serial number with a
 * control character, a list where a map belongs), and a machine that is refused for one of them is not there at all. So
 * what the schema refuses is left out, as little of it as may be, and each omission is named.
 *
 * The schema alone says what is right: the report is parsed, what its issues point to is taken away, and the rest is
 * parsed again. Elements go first, then the ends of lists that are too long, then whole lists while all of it is too much.
 */

/** So many are named; of the others it is said how many they are. */
const mostOmissions = 100
const longestPath = 100
const longestReason = 200

/** What is given up of a report that is too long, first the parts by which no machine is known. */
const expendable = [['pciDevices'], ['disks'], ['memory', 'modules'], ['cpus'], ['networkInterfaces']] as const

type Path = readonly PropertyKey[]

/** What is to be done with the value at a path: it goes, or so many entries of it stay. */
interface Cut {
  readonly path: Path
  readonly keep?: number
}

/** Throws VALIDATION_FAILED for what is no JSON object at all. */
export function readReport(input: unknown, what: string): { report: Hardware; omitted: Omission[] } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const issue = { path: '', message: 'must be a JSON object' }
    throw new ContractorError('VALIDATION_FAILED', `${what} is not valid: it ${issue.message}`, { issues: [issue] })
  }
  const all: Omission[] = []
  let rest: unknown = input
  for (;;) {
    const parsed = hardware.safeParse(rest)
    if (parsed.success) {
      all.push(...unusableAddresses(rest, parsed.data))
      return { report: parsed.data, omitted: bounded(all) }
    }
    // Of a value that is wrong in several ways one is told.
    const cuts = new Map<string, Cut & { reason: string }>()
    for (const issue of parsed.error.issues) {
      const cut = cutOf(issue, rest)
      const path = cut.path.map(String).join('.')
      if (!cuts.has(path)) cuts.set(path, { ...cut, reason: reasonOf(issue, cut) })
    }
    all.push(...[...cuts].map(([path, { reason }]) => ({ path, reason })))
    rest = without(rest, [...cuts.values()])
  }
}

function cutOf(issue: z.core.$ZodIssue, report: unknown): Cut {
  if (!issue.path.length) {
    // The whole is too long: nothing else is said of it.
    return { path: expendable.find(path => valueAt(report, path) !== undefined) ?? ['networkInterfaces'] }
  }
  const isLongList = issue.code === 'too_big' && Array.isArray(valueAt(report, issue.path))
  return isLongList ? { path: issue.path, keep: Number(issue.maximum) } : { path: issue.path }
}

function reasonOf({ path, message }: z.core.$ZodIssue, { keep }: Cut): string {
  if (!path.length) return `is left out: a report ${message.replace(/^must be/, 'is')}`
  return keep === undefined ? message : `${message}: only the first ${keep} are kept`
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)

/** A copy without what is cut; whatever no path leads to is the same. */
function without(value: unknown, cuts: readonly Cut[]): unknown {
  const inner = new Map<PropertyKey, Cut[]>()
  for (const { path, ...cut } of cuts) {
    const [head, ...rest] = path
    if (head !== undefined) inner.set(head, [...(inner.get(head) ?? []), { ...cut, path: rest }])
  }
  // A list by its places, too: so what is gone leaves the others where they are.
  const copy: Record<PropertyKey, unknown> = { ...(value as object) }
  const gone = new Set<string>()
  for (const [key, own] of inner) {
    const whole = own.find(cut => !cut.path.length)
    if (!whole) copy[key] = without(copy[key], own)
    else if (whole.keep !== undefined) copy[key] = (copy[key] as unknown[]).slice(0, whole.keep)
    else gone.add(String(key))
  }
  const kept = Object.keys(copy).filter(key => !gone.has(key))
  return Array.isArray(value) ? kept.map(key => copy[key]) : Object.fromEntries(kept.map(key => [key, copy[key]]))
}

/** The schema takes an address that is none for as good as none; what was written there is told all the same. */
function unusableAddresses(input: unknown, report: Hardware): Omission[] {
  const cards = report.networkInterfaces ?? []
  const macs: readonly Path[] = [['bootMac'], ['bmc', 'mac'], ...cards.map((_, at) => ['networkInterfaces', at, 'mac'])]
  const unusable = (path: Path, why: (written: string) => string | undefined) => {
    const written = valueAt(input, path)
    if (typeof written !== 'string' || valueAt(report, path) !== undefined) return []
    const reason = why(written)
    return reason === undefined ? [] : [{ path: path.map(String).join('.'), reason }]
  }
  return [
    ...macs.flatMap(path => unusable(path, whyNoMac)),
    ...unusable(['bmc', 'address'], written =>
      written.trim() === '' || written.trim() === '0.0.0.0' || written.trim() === '::'
        ? undefined
        : 'must be an IP address',
    ),
  ]
}

function bounded(all: readonly Omission[]): Omission[] {
  const named = all.slice(0, mostOmissions).map(({ path, reason }) => ({
    path: cutText(path, longestPath),
    reason: cutText(reason, longestReason),
  }))
  if (all.length > mostOmissions) named.push({ path: '', reason: `and ${all.length - mostOmissions} more` })
  return named
}
