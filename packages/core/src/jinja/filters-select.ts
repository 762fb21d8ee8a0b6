import { bind } from './arguments.ts'
import { compare, equals, hash } from './compare.ts'
import { fail } from './failure.ts'
import type { Filter, FilterRun } from './filter.ts'
import { lowered } from './filters-list.ts'
import { itemOrAttribute, ownAttribute } from './methods.ts'
import { sortValues } from './sort.ts'
import {
  type Given,
  Group,
  isText,
  isTrue,
  iterate,
  type Key,
  List,
  refuseUndefined,
  Stream,
  textOf,
  toArray,
  Undefined,
  type Value,
} from './values.ts'

type Getter = (item: Value) => Value

/** `'a.0.b'`: step by step into an item; None is the item itself. */
function getterOf(run: FilterRun, attribute: Value, otherwise: Value = null): Getter {
  const steps: Value[] =
    attribute === null
      ? []
      : isText(attribute)
        ? textOf(attribute)
            .split('.')
            .map(step => (/^\d+$/.test(step) ? BigInt(step) : step))
        : [attribute]
  return item => {
    let value = item
    for (const step of steps) {
      const found = itemOrAttribute(run.limits, value, step)
      if (found !== undefined) value = found
      else if (otherwise !== null) value = otherwise
      else value = run.missing(isText(step) ? `there is no '${textOf(step)}' in it` : 'there is no such item')
    }
    return value
  }
}

const insensitive =
  (run: FilterRun, get: Getter, isCaseSensitive: Value): Getter =>
  item =>
    isTrue(isCaseSensitive) ? get(item) : lowered(run.limits, get(item))

/** Many attributes, with commas between, are compared one after the other. */
function sortKey(run: FilterRun, attribute: Value, isCaseSensitive: Value): Getter {
  const names = isText(attribute) ? textOf(attribute).split(',') : [attribute]
  const getters = names.map(name => insensitive(run, getterOf(run, name), isCaseSensitive))
  const [only] = getters
  return getters.length === 1 && only ? only : item => new List(getters.map(get => get(item)))
}

const extreme = (name: string, sign: 1 | -1): Filter => ({
  apply(run, value, given) {
    const [isCaseSensitive = false, attribute = null] = bind(name, ['case_sensitive', 'attribute'], given)
    const get = insensitive(run, getterOf(run, attribute), isCaseSensitive)
    let best: { item: Value; key: Value } | undefined
    for (const item of iterate(run.limits, value)) {
      const key = get(item)
      if (!best || compare(run.limits, key, best.key) * sign < 0) best = { item, key }
    }
    return best ? best.item : run.missing('no aggregated item, sequence was empty')
  },
})

/** Items that a test takes; by one of their attributes. Without a test, those that are true. */
const selecting = (isWanted: boolean, byAttribute: boolean): Filter => ({
  carries: true,
  apply(run, value, { positional, named }) {
    const [attribute, ...given] = byAttribute ? positional : [null, ...positional]
    if (attribute === undefined) return fail('an attribute is needed')
    const get = getterOf(run, attribute)
    const [name, ...rest] = given
    const takes = (item: Value) =>
      name === undefined ? isTrue(get(item)) : run.test(filterName(name), get(item), { positional: rest, named })
    return new Stream(select(run, value, item => takes(item) === isWanted))
  },
})

function* select(run: FilterRun, value: Value, takes: (item: Value) => boolean): Generator<Value> {
  if (value instanceof Undefined && value.isStrict) iterate(run.limits, value).next()
  if (!isTrue(value)) return
  for (const item of iterate(run.limits, value)) if (takes(item)) yield item
}

const filterName = (name: Value) => (isText(name) ? textOf(name) : fail('the name of a filter or a test is a text'))

function* mapped(run: FilterRun, value: Value, change: Getter): Generator<Value> {
  if (value instanceof Undefined && value.isStrict) iterate(run.limits, value).next()
  if (!isTrue(value)) return
  for (const item of iterate(run.limits, value)) yield change(item)
}

function changeOf(run: FilterRun, { positional, named }: Given): Getter {
  const attribute = named.get('attribute')
  if (!positional.length && attribute !== undefined) {
    const [, otherwise = null] = bind('map', ['attribute', 'default'], { positional, named })
    return getterOf(run, attribute, otherwise)
  }
  const [name, ...rest] = positional
  if (name === undefined) return fail('map requires a filter argument')
  return item => run.filter(filterName(name), item, { positional: rest, named })
}

export const selectFilters: Readonly<Record<string, Filter>> = {
  select: selecting(true, false),
  reject: selecting(false, false),
  selectattr: selecting(true, true),
  rejectattr: selecting(false, true),
  map: {
    carries: true,
    apply(run, value, given) {
      // Asked for when it is read, as its errors are.
      let change: Getter | undefined
      return new Stream(
        mapped(run, value, item => {
          change ??= changeOf(run, given)
          return change(item)
        }),
      )
    },
  },
  attr: {
    apply(run, value, given) {
      const [name = fail('attr needs a name')] = bind('attr', ['name'], given)
      const key = filterName(name)
      const own = value instanceof Undefined ? refuseUndefined(value) : ownAttribute(run.limits, value, key)
      return own === undefined ? run.missing(`there is no attribute '${key}'`) : own
    },
  },
  sort: {
    apply(run, value, given) {
      const names = ['reverse', 'case_sensitive', 'attribute']
      const [isReversed = false, isCaseSensitive = false, attribute = null] = bind('sort', names, given)
      const key = sortKey(run, attribute, isCaseSensitive)
      return new List(sortValues(run.limits, toArray(run.limits, value), key, isTrue(isReversed)))
    },
  },
  unique: {
    apply(run, value, given) {
      const [isCaseSensitive = false, attribute = null] = bind('unique', ['case_sensitive', 'attribute'], given)
      const get = insensitive(run, getterOf(run, attribute), isCaseSensitive)
      return new Stream(unique(run, value, get))
    },
  },
  min: extreme('min', 1),
  max: extreme('max', -1),
  groupby: {
    apply(run, value, given) {
      const names = ['attribute', 'default', 'case_sensitive']
      const [attribute = fail('groupby needs an attribute'), otherwise = null, isCaseSensitive = false] = bind(
        'groupby',
        names,
        given,
      )
      const get = getterOf(run, attribute, otherwise)
      const key = insensitive(run, get, isCaseSensitive)
      const groups: { key: Value; items: Value[] }[] = []
      for (const item of sortValues(run.limits, toArray(run.limits, value), key, false)) {
        const current = groups.at(-1)
        if (current && equals(run.limits, current.key, key(item))) current.items.push(item)
        else groups.push({ key: key(item), items: [item] })
      }
      return new List(groups.map(({ items }) => new Group([get(items[0] as Value), new List(items)])))
    },
  },
}

function* unique(run: FilterRun, value: Value, get: Getter): Generator<Value> {
  const seen = new Set<Key>()
  for (const item of iterate(run.limits, value)) {
    const key = hash(run.limits, get(item))
    if (seen.has(key)) continue
    run.limits.items(1)
    seen.add(key)
    yield item
  }
}
