import { asNumber, asText, bind } from './arguments.ts'
import { calculate } from './arithmetic.ts'
import { fail } from './failure.ts'
import type { Filter } from './filter.ts'
import { type Limits, longestText } from './limits.ts'
import { str } from './print.ts'
import { sortValues } from './sort.ts'
import {
  Dict,
  isText,
  isTrue,
  iterate,
  List,
  lengthOf,
  refuseUndefined,
  Stream,
  Tuple,
  textOf,
  toArray,
  typeOf,
  Undefined,
  type Value,
  View,
} from './values.ts'

const length: Filter = {
  apply(_, value, given) {
    bind('length', [], given)
    if (value instanceof Undefined && value.isStrict) refuseUndefined(value)
    return BigInt(lengthOf(value) ?? fail(`object of type '${typeOf(value)}' has no len()`))
  },
}

const otherwise: Filter = {
  carries: true,
  apply(_, value, given) {
    const [fallback = '', isBoolean = false] = bind('default', ['default_value', 'boolean'], given)
    return value instanceof Undefined || (isTrue(isBoolean) && !isTrue(value)) ? fallback : value
  },
}

/** As Jinja2's filters compare texts unless they are told otherwise. */
export const lowered = (limits: Limits, value: Value): Value => {
  if (!isText(value)) return value
  limits.text(textOf(value).length)
  return textOf(value).toLowerCase()
}

function* inSlices(limits: Limits, items: readonly Value[], count: number, filling: Value): Generator<Value> {
  const size = Math.floor(items.length / count)
  const larger = items.length % count
  let at = 0
  for (let slice = 0; slice < count; slice++) {
    const part = items.slice(at, at + size + Number(slice < larger))
    at += part.length
    if (filling !== null && slice >= larger) part.push(filling)
    limits.items(part.length + 1)
    yield new List(part)
  }
}

function* inBatches(limits: Limits, value: Value, size: number, filling: Value): Generator<Value> {
  let batch: Value[] = []
  for (const item of iterate(limits, value)) {
    if (batch.length === size) {
      yield new List(batch)
      batch = []
    }
    limits.items(1)
    batch.push(item)
  }
  if (!batch.length) return
  const room = filling === null ? 0 : Math.max(size - batch.length, 0)
  limits.items(room)
  yield new List([...batch, ...new Array<Value>(room).fill(filling)])
}

export const listFilters: Readonly<Record<string, Filter>> = {
  length,
  count: length,
  default: otherwise,
  d: otherwise,
  list: { apply: ({ limits }, value) => new List(toArray(limits, value)) },
  first: {
    apply(run, value) {
      for (const item of iterate(run.limits, value)) return item
      return run.missing('there is no first item')
    },
  },
  last: {
    apply(run, value) {
      if (value instanceof Stream) return fail(`'${typeOf(value)}' object is not reversible: add |list`)
      const items = isText(value) ? [...textOf(value)] : toArray(run.limits, value)
      return items.length ? (items.at(-1) as Value) : run.missing('there is no last item')
    },
  },
  random: { apply: () => fail('random is not available here: a template gives the same for the same values') },
  items: {
    apply({ limits }, value) {
      if (value instanceof Undefined && !value.isStrict) return new Stream([][Symbol.iterator]())
      if (!(value instanceof Dict)) return fail('can only get item pairs from a mapping')
      return new Stream(iterate(limits, new View(value, 'items')))
    },
  },
  slice: {
    apply({ limits }, value, given) {
      const [count, filling = null] = bind('slice', ['slices', 'fill_with'], given)
      const slices = asNumber('slice', count)
      if (slices === 0) fail('division by zero')
      return new Stream(inSlices(limits, toArray(limits, value), slices, filling))
    },
  },
  batch: {
    carries: true,
    apply({ limits }, value, given) {
      const [count, filling = null] = bind('batch', ['linecount', 'fill_with'], given)
      return new Stream(inBatches(limits, value, asNumber('batch', count), filling))
    },
  },
  dictsort: {
    apply({ limits }, value, given) {
      const [isCaseSensitive = false, by, isReversed = false] = bind(
        'dictsort',
        ['case_sensitive', 'by', 'reverse'],
        given,
      )
      if (!(value instanceof Dict)) return fail(`dictsort needs a map, not ${typeOf(value)}`)
      const part = ['key', 'value'].indexOf(asText('dictsort', by, 'key'))
      if (part < 0) fail('you can only sort by either "key" or "value"')
      const pairs = [...value.entries.values()].map(entry => new Tuple(entry))
      const key = (pair: Value) => {
        const item = (pair as Tuple).items[part] as Value
        return isTrue(isCaseSensitive) ? item : lowered(limits, item)
      }
      return new List(sortValues(limits, pairs, key, isTrue(isReversed)))
    },
  },
  join: {
    carries: true,
    apply(run, value, given) {
      const [separator = '', attribute = null] = bind('join', ['d', 'attribute'], given)
      const { limits } = run
      const mapped =
        attribute === null
          ? value
          : run.filter('map', value, { positional: [], named: new Map([['attribute', attribute]]) })
      const joint = str(limits, separator)
      const parts: string[] = []
      let size = 0
      for (const item of iterate(limits, mapped)) {
        const part = str(limits, item)
        size += part.length + joint.length
        limits.items(1)
        if (size > longestText + joint.length) limits.text(size)
        parts.push(part)
      }
      limits.text(Math.max(size - joint.length, 0))
      return parts.join(joint)
    },
  },
  sum: {
    apply(run, value, given) {
      const [attribute = null, start = 0n] = bind('sum', ['attribute', 'start'], given)
      const mapped =
        attribute === null
          ? value
          : run.filter('map', value, { positional: [], named: new Map([['attribute', attribute]]) })
      if (isText(start)) return fail("sum() can't sum strings: use |join")
      let sum: Value = start
      for (const item of iterate(run.limits, mapped)) sum = calculate(run.limits, '+', sum, item)
      return sum
    },
  },
}
