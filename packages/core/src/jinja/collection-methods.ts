import { asNumber, bind } from './arguments.ts'
import { equals, hash } from './compare.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { repr } from './print.ts'
import { sortValues } from './sort.ts'
import { Dict, type Given, isTrue, iterate, List, Tuple, toArray, type Value, View } from './values.ts'

type Method<T> = (limits: Limits, of: T, given: Given) => Value

function indexOf(limits: Limits, items: readonly Value[], given: Given): bigint {
  const [item = null, from, to] = bind('index', ['value', 'start', 'stop'], given)
  const clamp = (at: number) => Math.max(at < 0 ? at + items.length : at, 0)
  const end = Math.min(to === undefined ? items.length : clamp(asNumber('index', to)), items.length)
  for (let at = clamp(asNumber('index', from, 0)); at < end; at++)
    if (equals(limits, items[at] as Value, item)) return BigInt(at)
  return fail(`${repr(limits, item)} is not in list`)
}

function count(limits: Limits, items: readonly Value[], given: Given): bigint {
  const [item = null] = bind('count', ['value'], given)
  return BigInt(items.filter(one => equals(limits, one, item)).length)
}

export const tupleMethods: Readonly<Record<string, Method<Tuple>>> = {
  index: (limits, { items }, given) => indexOf(limits, items, given),
  count: (limits, { items }, given) => count(limits, items, given),
}

/** As of Python's list: those that change it give None. */
export const listMethods: Readonly<Record<string, Method<List>>> = {
  append(limits, { items }, given) {
    const [item = fail('append needs an argument')] = bind('append', ['object'], given)
    limits.items(1)
    items.push(item)
    return null
  },
  extend(limits, { items }, given) {
    const [more = fail('extend needs an argument')] = bind('extend', ['iterable'], given)
    for (const item of toArray(limits, more)) items.push(item)
    return null
  },
  insert(limits, { items }, given) {
    const [at, item = fail('insert needs two arguments')] = bind('insert', ['index', 'object'], given)
    limits.items(1)
    limits.read(items.length)
    items.splice(asNumber('insert', at), 0, item)
    return null
  },
  pop(limits, { items }, given) {
    const [at] = bind('pop', ['index'], given)
    if (!items.length) fail('pop from empty list')
    const place = asNumber('pop', at, -1)
    const position = place < 0 ? items.length + place : place
    if (position < 0 || position >= items.length) fail('pop index out of range')
    limits.read(items.length)
    return items.splice(position, 1)[0] as Value
  },
  remove(limits, { items }, given) {
    const [item = fail('remove needs an argument')] = bind('remove', ['value'], given)
    const position = items.findIndex(one => equals(limits, one, item))
    if (position < 0) fail('list.remove(x): x not in list')
    items.splice(position, 1)
    return null
  },
  clear(_, { items }, given) {
    bind('clear', [], given)
    items.length = 0
    return null
  },
  reverse(limits, { items }, given) {
    bind('reverse', [], given)
    limits.read(items.length)
    items.reverse()
    return null
  },
  sort(limits, { items }, given) {
    const [isReversed = false, key = null] = bind('sort', ['reverse', 'key'], { positional: [], named: given.named })
    if (given.positional.length || key !== null) fail('sort takes no argument but reverse: use |sort( attribute=… )')
    const sorted = sortValues(limits, items, item => item, isTrue(isReversed))
    for (const [at, item] of sorted.entries()) items[at] = item
    return null
  },
  copy(limits, { items }, given) {
    bind('copy', [], given)
    limits.items(items.length)
    return new List([...items])
  },
  index: (limits, { items }, given) => indexOf(limits, items, given),
  count: (limits, { items }, given) => count(limits, items, given),
}

export function putItem(limits: Limits, { entries }: Dict, key: Value, value: Value): void {
  limits.items(1)
  const place = hash(limits, key)
  const present = entries.get(place)
  entries.set(place, [present ? present[0] : key, value])
}

/** A map, or pairs, put into another. */
export function putAll(limits: Limits, into: Dict, from: Value): void {
  if (from instanceof Dict) {
    for (const [key, value] of [...from.entries.values()]) putItem(limits, into, key, value)
    return
  }
  for (const pair of iterate(limits, from)) {
    const [key, value, ...rest] = toArray(limits, pair)
    if (key === undefined || value === undefined || rest.length) fail('a map is made of pairs')
    putItem(limits, into, key as Value, value as Value)
  }
}

const view =
  (part: View['part']): Method<Dict> =>
  (_, of, given) => {
    bind(part, [], given)
    return new View(of, part)
  }

export const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  keys: view('keys'),
  values: view('values'),
  items: view('items'),
  get(limits, { entries }, given) {
    const [key = fail('get needs an argument'), otherwise = null] = bind('get', ['key', 'default'], given)
    return entries.get(hash(limits, key))?.[1] ?? (entries.has(hash(limits, key)) ? null : otherwise)
  },
  pop(limits, { entries }, given) {
    const [key = fail('pop needs an argument'), otherwise] = bind('pop', ['key', 'default'], given)
    const place = hash(limits, key)
    const present = entries.get(place)
    entries.delete(place)
    return present
      ? present[1]
      : (otherwise ?? (otherwise === null ? null : fail(`the map has no ${repr(limits, key)}`)))
  },
  popitem(_, { entries }, given) {
    bind('popitem', [], given)
    const [place, entry] = [...entries].at(-1) ?? fail('popitem(): dictionary is empty')
    entries.delete(place)
    return new Tuple(entry)
  },
  setdefault(limits, of, given) {
    const [key = fail('setdefault needs an argument'), value = null] = bind('setdefault', ['key', 'default'], given)
    const present = of.entries.get(hash(limits, key))
    if (present) return present[1]
    putItem(limits, of, key, value)
    return value
  },
  update(limits, of, { positional, named }) {
    const [from] = bind('update', ['other'], { positional, named: new Map() })
    if (from !== undefined) putAll(limits, of, from)
    for (const [key, value] of named) putItem(limits, of, key, value)
    return null
  },
  clear(_, { entries }, given) {
    bind('clear', [], given)
    entries.clear()
    return null
  },
  copy(limits, { entries }, given) {
    bind('copy', [], given)
    limits.items(entries.size)
    return new Dict(new Map([...entries].map(([place, [key, value]]) => [place, [key, value]])))
  },
}
