import type { Json } from '@contractor/contract/primitives'
import { ContractorError } from '@contractor/contract/primitives'
import type { z } from 'zod'
import type { AnyFunction, FoundationContext } from './define-function.ts'
import type { DiscoverDefinition, ReadDefinition } from './define-read.ts'
import type { ServicePlugin } from './define-service.ts'
import type { TaskDefinition } from './define-task.ts'

/** A value that scripts read as `foundation.NAME`; with `set` they may write it, which changes the named fields. */
export interface ValueDefinition<Fields> {
  description?: string
  /** Whether `get` asks for the config of the Structure that stands on the Foundation: it is read only then. */
  readsConfig?: boolean
  get(foundation: FoundationContext<Fields>, structure: ValueContext): Json
  set?(value: Json, foundation: FoundationContext<Fields>): Partial<Fields>
}

/** The Structure that stands on the Foundation, whether the Job is for the one or the other. */
export interface ValueContext {
  /** A value of its config, rendered; undefined where there is none. Throws where no Structure stands on the Foundation. */
  config(name: string): Json | undefined
}

/** What a type may say in the config of its Foundations, and of the Structures on them. */
export interface ConfigSource<Fields> {
  readonly locator: string
  readonly fields: Fields
  /** The name of what provides it. */
  readonly complex: string | null
  /** The fields of what provides it; empty where nothing does. What is secret in them does not belong into a config. */
  readonly complexFields: Readonly<Record<string, unknown>>
}

export type AnyTasks = Readonly<Record<string, TaskDefinition>>

export interface FoundationOptions<
  Type extends string,
  Fields extends z.ZodObject,
  Tasks extends AnyTasks,
  Complex extends ComplexPlugin,
> {
  /** The Foundation's type: what BluePrints and Foundations name. */
  type: Type
  /** The module under which its Tasks reach agents; the type in lower case unless said. */
  module?: string
  /** How the kernel of such a machine calls its console, as `ttyS1,115200`; `tty0` unless said. */
  console?: string
  /** Classes that config values with a suffix (`name:Class`) apply to. */
  classes?: readonly string[]
  /** The type's own columns: checked on every write, in the API, readable in scripts as `foundation.NAME`. */
  fields: Fields
  /** The type of the Complexes that provide such Foundations: each one then names its Complex, whose fields functions see. */
  complex?: Complex
  values?: Readonly<Record<string, ValueDefinition<z.output<Fields>>>>
  /**
   * What it adds to the config of its Foundations and of the Structures on them. Names with `_` are attributes, as `_console`;
   * others stand above the values of BluePrint and Site, and below the Structure's own.
   */
  config?(foundation: ConfigSource<z.output<Fields>>): Readonly<Record<string, Json>>
  /** How it is looked what is really there: for drift. */
  read?: ReadDefinition
  /** How it is looked what exists and may not be ours yet: for import. */
  discover?: DiscoverDefinition
  tasks?: Tasks
  functions: Readonly<Record<string, AnyFunction>>
  /** What Jobs of such Foundations call as MODULE.NAME( … ): what makes one, as `docker.create( … )`. */
  moduleFunctions?: Readonly<Record<string, AnyFunction>>
}

export interface FoundationPlugin<
  Fields extends z.ZodObject = z.ZodObject,
  Tasks extends AnyTasks = AnyTasks,
  Type extends string = string,
  Complex extends ComplexPlugin = ComplexPlugin,
> {
  readonly kind: 'foundation'
  readonly type: Type
  readonly module: string
  readonly console?: string
  readonly classes: readonly string[]
  readonly fields: Fields
  readonly complex?: Complex
  readonly read?: ReadDefinition
  readonly discover?: DiscoverDefinition
  // biome-ignore lint/suspicious/noExplicitAny: a value's functions know the fields of their own type alone
  readonly values: Readonly<Record<string, ValueDefinition<any>>>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly config?: (foundation: ConfigSource<any>) => Readonly<Record<string, Json>>
  readonly tasks: Tasks
  readonly functions: Readonly<Record<string, AnyFunction>>
  readonly moduleFunctions: Readonly<Record<string, AnyFunction>>
}

export interface ComplexOptions<Type extends string, Fields extends z.ZodObject> {
  /** The Complex's type: what Complexes name. */
  type: Type
  description?: string
  /** The type's own columns, as an address and credentials: checked on every write, in the API. */
  fields: Fields
}

export interface ComplexPlugin<Fields extends z.ZodObject = z.ZodObject, Type extends string = string> {
  readonly kind: 'complex'
  readonly type: Type
  readonly description: string
  readonly fields: Fields
}

export interface ModuleOptions<Tasks extends AnyTasks> {
  /** The name that scripts and agents use. */
  name: string
  tasks?: Tasks
  functions: Readonly<Record<string, AnyFunction>>
}

export interface ModulePlugin<Tasks extends AnyTasks = AnyTasks> {
  readonly kind: 'module'
  readonly module: string
  readonly tasks: Tasks
  readonly functions: Readonly<Record<string, AnyFunction>>
}

/** What has functions, and Tasks for agents. */
export type FunctionPlugin = FoundationPlugin | ModulePlugin

export type Plugin = FunctionPlugin | ComplexPlugin | ServicePlugin

const typeName = /^[a-zA-Z][a-zA-Z0-9_-]{0,39}$/
const moduleName = /^[a-z][a-z0-9_]{0,39}$/
const scriptName = /^[a-zA-Z][a-zA-Z0-9_]*$/
const fieldName = /^[a-z][a-zA-Z0-9_]*$/

/** The names of what every Foundation has; a type's own fields, values and functions use others. */
export const foundationCommonValues = [
  'id',
  'locator',
  'type',
  'site',
  'state',
  'blueprint',
  'class_list',
  'provisioning_interface',
  'interface_list',
  'complex',
] as const

/** Names that a module may not take: they are the engine's own in scripts. */
export const engineModules = ['foundation', 'structure', 'config', 'signaling', 'dhcp'] as const

/** Declares a Foundation type. Throws PLUGIN_INVALID for a name that scripts could not write or that is taken. */
export function defineFoundation<
  const Type extends string,
  Fields extends z.ZodObject,
  const Tasks extends AnyTasks = Record<never, never>,
  Complex extends ComplexPlugin = never,
>(options: FoundationOptions<Type, Fields, Tasks, Complex>): FoundationPlugin<Fields, Tasks, Type, Complex> {
  const refuse = refusal(`Foundation type '${options.type}'`, options.type)
  if (!typeName.test(options.type)) refuse(badTypeName)
  const module = options.module ?? options.type.toLowerCase().replaceAll('-', '_')
  checkModuleName(module, refuse)

  const fields = Object.keys(options.fields.shape)
  const values = Object.keys(options.values ?? {})
  const functions = Object.keys(options.functions)
  checkFieldNames(options.fields, refuse)
  for (const name of [...values, ...functions, ...Object.keys(options.moduleFunctions ?? {})])
    if (!scriptName.test(name)) refuse(`'${name}' is no name that a script can write`)
  const seen = new Set<string>(foundationCommonValues)
  for (const name of [...fields, ...values.filter(value => !fields.includes(value))]) {
    if (seen.has(name))
      refuse(
        `the name '${name}' is taken: its fields and values have other names than ${foundationCommonValues.join(', ')}`,
      )
    seen.add(name)
  }
  // A call cannot be taken for a value: `foundation.state()` may be beside `foundation.state`, which all have.
  for (const name of functions)
    if (fields.includes(name) || values.includes(name))
      refuse(`the name '${name}' is that of a value and of a function`)
  return {
    kind: 'foundation',
    type: options.type,
    module,
    ...(options.console !== undefined && { console: options.console }),
    classes: options.classes ?? [],
    fields: options.fields,
    ...(options.complex && { complex: options.complex }),
    ...(options.read && { read: options.read }),
    ...(options.discover && { discover: options.discover }),
    values: options.values ?? {},
    ...(options.config && { config: options.config }),
    tasks: options.tasks ?? ({} as Tasks),
    functions: options.functions,
    moduleFunctions: options.moduleFunctions ?? {},
  }
}

/** Declares a type of Complexes. Throws PLUGIN_INVALID. */
export function defineComplex<const Type extends string, Fields extends z.ZodObject>(
  options: ComplexOptions<Type, Fields>,
): ComplexPlugin<Fields, Type> {
  const { type, description = '', fields } = options
  const refuse = refusal(`Complex type '${type}'`, type)
  if (!typeName.test(type)) refuse(badTypeName)
  checkFieldNames(fields, refuse)
  return { kind: 'complex', type, description, fields }
}

/** Declares a module: functions that are not a Foundation's own, called as `NAME.function( … )`. */
export function defineModule<const Tasks extends AnyTasks = Record<never, never>>(
  options: ModuleOptions<Tasks>,
): ModulePlugin<Tasks> {
  const refuse = refusal(`Module '${options.name}'`, options.name)
  checkModuleName(options.name, refuse)
  for (const name of Object.keys(options.functions))
    if (!scriptName.test(name)) refuse(`'${name}' is no name that a script can write`)
  return { kind: 'module', module: options.name, tasks: options.tasks ?? ({} as Tasks), functions: options.functions }
}

const badTypeName = 'its name must be letters, digits, - and _, beginning with a letter, 40 at the most'

function checkFieldNames(fields: z.ZodObject, refuse: (reason: string) => void): void {
  for (const name of Object.keys(fields.shape))
    if (!fieldName.test(name)) refuse(`its field '${name}' must be letters and digits, beginning with a small letter`)
}

function checkModuleName(name: string, refuse: (reason: string) => void): void {
  if (!moduleName.test(name)) refuse(`its module name '${name}' must be lower case letters, digits and underscores`)
  if (engineModules.some(taken => taken === name)) refuse(`the module name '${name}' is the engine's own`)
}

function refusal(what: string, plugin: string): (reason: string) => void {
  return reason => {
    throw new ContractorError('PLUGIN_INVALID', `${what} cannot be used: ${reason}`, { plugin })
  }
}
