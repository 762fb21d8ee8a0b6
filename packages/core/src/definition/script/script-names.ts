import { type AnyFunction, type FoundationPlugin, foundationCommonValues } from '@contractor/plugin'
import type { HostNames } from '@contractor/tscript'
import type { PluginRegistry } from '../../engine/plugin-registry.ts'

/**
 * The names that scripts may use, for the checker. `foundation`, `structure` and `config` are open: what they hold
 * depends on the target, which a script does not know when it is saved.
 */
export function scriptNames(plugins: PluginRegistry): HostNames {
  const names: HostNames = {
    foundation: { open: true },
    config: { open: true },
  }
  for (const [name, plugin] of plugins.modules)
    names[name] = { ...(name === 'structure' && { open: true }), functions: functionNames(plugin.functions) }
  for (const { module, moduleFunctions } of plugins.foundations.values())
    if (Object.keys(moduleFunctions).length) names[module] = { functions: functionNames(moduleFunctions) }
  return names
}

/** The same where it is known for which type of Foundations a script is: then what `foundation` has is checked too. */
export function scriptNamesFor(plugins: PluginRegistry, type: FoundationPlugin): HostNames {
  const names = [...foundationCommonValues, ...Object.keys(type.fields.shape)]
  const values = Object.entries(type.values).map(([name, { set }]) => [name, { writable: set !== undefined }] as const)
  return {
    ...scriptNames(plugins),
    foundation: {
      values: { ...Object.fromEntries(names.map(name => [name, {}])), ...Object.fromEntries(values) },
      functions: functionNames(type.functions),
    },
  }
}

const functionNames = (functions: Readonly<Record<string, AnyFunction>>) =>
  Object.fromEntries(
    Object.entries(functions).map(([name, definition]) => [
      name,
      // In the T3kton format, what asks an agent passes over what it does not know.
      { parameters: parametersOf(definition), ...(definition.request && { ignoresOthers: true }) },
    ]),
  )

/** A function's named parameters; one is required when leaving it out would not parse. */
function parametersOf(definition: AnyFunction): Record<string, { required: boolean }> {
  return Object.fromEntries(
    Object.entries(definition.args.shape).map(([name, schema]) => [name, { required: !isOptional(schema) }]),
  )
}

function isOptional(schema: unknown): boolean {
  return (schema as { safeParse(value: unknown): { success: boolean } }).safeParse(undefined).success
}
