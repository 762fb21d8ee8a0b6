import { itemOf, nativeAttribute } from './access.ts'
import { dictMethods, listMethods, tupleMethods } from './collection-methods.ts'
import type { Limits } from './limits.ts'
import { refuseSecret } from './secrets.ts'
import { carryingMethods, textMethods } from './text-methods.ts'
import {
  Callable,
  Dict,
  type Given,
  isText,
  List,
  Markup,
  refuseUndefined,
  Tuple,
  textOf,
  Undefined,
  type Value,
} from './values.ts'

/** `of.name`: a method or an attribute, else the item of that name; undefined when there is neither. */
export function attributeOf(limits: Limits, of: Value, name: string): Value | undefined {
  if (of instanceof Undefined) return refuseUndefined(of)
  const own = ownAttribute(limits, of, name)
  return own === undefined ? itemOf(limits, of, name) : own
}

/** `of[key]`: the item, else the attribute of that name. */
export function itemOrAttribute(limits: Limits, of: Value, key: Value): Value | undefined {
  if (of instanceof Undefined) return refuseUndefined(of)
  const item = itemOf(limits, of, key)
  return item === undefined && typeof key === 'string' ? ownAttribute(limits, of, key) : item
}

/** Without items. */
export function ownAttribute(limits: Limits, of: Value, name: string): Value | undefined {
  const native = nativeAttribute(of, name)
  return native === undefined ? methodOf(limits, of, name) : native
}

/** A method of Python's types, bound to its value; undefined when there is none of that name. */
export function methodOf(limits: Limits, of: Value, name: string): Value | undefined {
  if (of instanceof List) return bindMethod(listMethods, name, method => given => method(limits, of, given))
  if (of instanceof Dict) return bindMethod(dictMethods, name, method => given => method(limits, of, given))
  if (of instanceof Tuple) return bindMethod(tupleMethods, name, method => given => method(limits, of, given))
  if (!isText(of)) return undefined
  return bindMethod(textMethods, name, method => given => {
    if (!carryingMethods.has(name))
      for (const one of [of, ...given.positional, ...given.named.values()]) refuseSecret(one, `.${name}()`)
    limits.read(textOf(of).length)
    const made = method(limits, textOf(of), given)
    return of instanceof Markup ? asMarkup(made) : made
  })
}

function bindMethod<T>(
  methods: Readonly<Record<string, T>>,
  name: string,
  make: (method: T) => (given: Given) => Value,
): Value | undefined {
  return Object.hasOwn(methods, name) ? new Callable(name, make(methods[name] as T)) : undefined
}

function asMarkup(value: Value): Value {
  if (typeof value === 'string') return new Markup(value)
  if (value instanceof List) return new List(value.items.map(asMarkup))
  return value instanceof Tuple ? new Tuple(value.items.map(asMarkup)) : value
}
