import type { AnyFunction } from '@contractor/plugin'
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
  for (const [name, plugin] of plugins.modules) {
    names[name] = {
      ...(name === 'structure' && { open: true }),
      functions: Object.fromEntries(
        Object.entries(plugin.functions).map(([called, definition]) => [
          called,
          { parameters: parametersOf(definition) },
        ]),
      ),
    }
  }
  return names
}

/** A function's named parameters; one is required when leaving it out would not parse. */
function parametersOf(definition: AnyFunction): Record<string, { required: boolean }> {
  return Object.fromEntries(
    Object.entries(definition.args.shape).map(([name, schema]) => [name, { required: !isOptional(schema) }]),
  )
}

function isOptional(schema: unknown): boolean {
  return (schema as { safeParse(value: unknown): { success: boolean } }).safeParse(undefined).success
}
