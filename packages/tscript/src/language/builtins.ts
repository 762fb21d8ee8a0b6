import type { Json } from '../json.ts'

/** The built-in functions with their parameters, in the order in which the machine takes them. */
export interface Builtin {
  readonly parameters: readonly { readonly name: string; readonly default?: Json }[]
  /** Changes the variable, element or module value that its first parameter names. */
  readonly changes?: true
}

export const BUILTINS = {
  len: { parameters: [{ name: 'array' }] },
  slice: { parameters: [{ name: 'array' }, { name: 'start' }, { name: 'end' }] },
  pop: { parameters: [{ name: 'array' }, { name: 'index', default: -1 }], changes: true },
  append: { parameters: [{ name: 'array' }, { name: 'value' }], changes: true },
  index: { parameters: [{ name: 'array' }, { name: 'value' }] },
  pause: { parameters: [{ name: 'msg' }] },
  error: { parameters: [{ name: 'msg' }] },
  fatal_error: { parameters: [{ name: 'msg' }] },
  message: { parameters: [{ name: 'msg' }] },
  delay: {
    parameters: [
      { name: 'seconds', default: 0 },
      { name: 'minutes', default: 0 },
      { name: 'hours', default: 0 },
    ],
  },
} as const satisfies { [name: string]: Builtin }

export type BuiltinName = keyof typeof BUILTINS

export const BUILTIN_NAMES = Object.keys(BUILTINS) as BuiltinName[]

export function findBuiltin(name: string): Builtin | undefined {
  return Object.hasOwn(BUILTINS, name) ? BUILTINS[name as BuiltinName] : undefined
}
