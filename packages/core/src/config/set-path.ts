import { configName, type Json } from '@contractor/contract'
import type { Values } from '../database/columns.ts'

/**
 * The values with one of them changed, by its name or, with dots, inside of a list or a map: `disks.0.size`. A name is
 * made where there is none; what the path leads through must be there. Throws what is wrong with the path.
 */
export function setPath(values: Values, path: string, value: Json): Values {
  const [name = '', ...rest] = path.split('.')
  const checked = configName.safeParse(name)
  if (!checked.success)
    throw new Error(`'${name}' is no name of a config value: it ${checked.error.issues[0]?.message}`)
  if (!rest.length) return { ...values, [name]: value }
  if (!Object.hasOwn(values, name))
    throw new Error(`it has no config value '${name}' of its own to change '${path}' in`)
  return { ...values, [name]: setInside(values[name] as Json, rest, value, path) }
}

function setInside(present: Json, [step = '', ...rest]: readonly string[], value: Json, path: string): Json {
  const next = (inner: Json | undefined): Json => {
    if (!rest.length) return value
    if (inner === undefined) throw new Error(`there is no '${step}' in '${path}'`)
    return setInside(inner, rest, value, path)
  }
  if (Array.isArray(present)) {
    const position = /^\d+$/.test(step) ? Number(step) : -1
    if (position < 0 || position > present.length)
      throw new Error(`'${step}' in '${path}' is no place in a list of ${present.length}`)
    return [...present.slice(0, position), next(present[position]), ...present.slice(position + 1)]
  }
  if (typeof present !== 'object' || present === null)
    throw new Error(`'${path}' leads into a value that is neither a list nor a map`)
  return { ...present, [step]: next(Object.hasOwn(present, step) ? present[step] : undefined) }
}
