import { hash } from './compare.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { isSecret, refuseSecret } from './secrets.ts'
import {
  Dict,
  Group,
  isText,
  List,
  Markup,
  Native,
  points,
  Range,
  refuseUndefined,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.ts'

export function nativeAttribute(of: Value, name: string): Value | undefined {
  if (of instanceof Native) return of.attribute(name)
  if (of instanceof Group) return { grouper: of.items[0], list: of.items[1] }[name as 'list']
  if (of instanceof Range && (name === 'start' || name === 'stop')) return of[name]
  return of instanceof Range && name === 'step' ? of.stride : undefined
}

/** Without attributes. */
export function itemOf(limits: Limits, of: Value, key: Value): Value | undefined {
  if (of instanceof Dict) {
    if (key instanceof List || key instanceof Dict) return undefined
    return of.get(hash(limits, key))
  }
  const index = typeof key === 'boolean' ? BigInt(key) : key
  if (typeof index !== 'bigint') return undefined
  const at = Number(index)
  if (isText(of)) {
    if (isSecret(of)) refuseSecret(of, 'an index')
    limits.read(textOf(of).length)
    const characters = points(textOf(of))
    const found = characters[at < 0 ? characters.length + at : at]
    return found !== undefined && of instanceof Markup ? new Markup(found) : found
  }
  if (of instanceof List || of instanceof Tuple) return of.items[at < 0 ? of.items.length + at : at]
  if (!(of instanceof Range)) return undefined
  const place = at < 0 ? of.length + at : at
  return place >= 0 && place < of.length ? of.start + BigInt(place) * of.stride : undefined
}

/** `of[from:to:stride]`; undefined when it cannot be cut. */
export function sliceOf(limits: Limits, of: Value, parts: readonly Value[]): Value | undefined {
  if (of instanceof Undefined) refuseUndefined(of)
  refuseSecret(of, 'a slice')
  const [from, to, by] = parts.map(part => {
    if (part === null || part === undefined) return undefined
    if (part instanceof Undefined) refuseUndefined(part)
    const index = typeof part === 'boolean' ? BigInt(part) : part
    return typeof index === 'bigint' ? Number(index) : fail('slice indices must be integers or None')
  })
  if (by === 0) fail('slice step cannot be zero')
  if (of instanceof List || of instanceof Tuple) {
    const picked = pick(limits, of.items, from, to, by) as Value[]
    return of instanceof List ? new List(picked) : new Tuple(picked)
  }
  if (isText(of)) {
    limits.text(textOf(of).length)
    const text = (pick(limits, points(textOf(of)), from, to, by) as string[]).join('')
    return of instanceof Markup ? new Markup(text) : text
  }
  if (of instanceof Range) {
    const { start, stop, stride } = bounds(of.length, from, to, by)
    const at = (place: number) => of.start + BigInt(place) * of.stride
    return new Range(at(start), at(stop), of.stride * BigInt(stride))
  }
  return of instanceof Dict ? undefined : fail(`'${typeOf(of)}' object is not subscriptable`)
}

/** As `slice.indices()` of Python. */
function bounds(length: number, from: number | undefined, to: number | undefined, by = 1) {
  const low = by < 0 ? -1 : 0
  const high = by < 0 ? length - 1 : length
  const clamp = (at: number | undefined, otherwise: number) =>
    at === undefined ? otherwise : Math.min(Math.max(at < 0 ? at + length : at, low), high)
  return { start: clamp(from, by < 0 ? high : low), stop: clamp(to, by < 0 ? low : high), stride: by }
}

function pick<T>(
  limits: Limits,
  items: ArrayLike<T>,
  from: number | undefined,
  to: number | undefined,
  by: number | undefined,
): T[] {
  const { start, stop, stride } = bounds(items.length, from, to, by)
  limits.items(Math.max(Math.ceil((stop - start) / stride), 0))
  const picked: T[] = []
  for (let at = start; stride > 0 ? at < stop : at > stop; at += stride) picked.push(items[at] as T)
  return picked
}
