import { ContractorError } from '@contractor/contract'
import {
  type AnyFunction,
  type ComplexPlugin,
  engineModules,
  type FoundationPlugin,
  type FunctionPlugin,
  type ModulePlugin,
  type Plugin,
  type ServicePlugin,
  type TaskDefinition,
} from '@contractor/plugin'
import type { z } from 'zod'

/** The plugins that the host passed in. */
export interface PluginRegistry {
  readonly foundations: ReadonlyMap<string, FoundationPlugin>
  readonly complexes: ReadonlyMap<string, ComplexPlugin>
  readonly services: ReadonlyMap<string, ServicePlugin>
  readonly modules: ReadonlyMap<string, ModulePlugin>
  /** Throws NOT_FOUND for a type that no plugin provides. */
  getFoundation(type: string): FoundationPlugin
  /** The schema of a Foundation type's own fields, which refuses others; throws NOT_FOUND. */
  getFields(type: string): z.ZodObject
  /** The same of a type of Complexes. */
  getComplexFields(type: string): z.ZodObject
  hasModule(module: string): boolean
  /** What an agent's module does, for the checks of its answers. */
  findTask(module: string, name: string): TaskDefinition | undefined
  /** A module's function, for the Foundation type at hand: of the type itself, where the module is `foundation` or the type's. */
  findFunction(
    module: string,
    name: string,
    foundationType: string,
  ): { plugin: FunctionPlugin; definition: AnyFunction } | undefined
}

/** With the engine's own modules, which scripts have anyway. Throws PLUGIN_INVALID when two plugins claim one name. */
export function createPluginRegistry(plugins: readonly Plugin[], own: readonly ModulePlugin[]): PluginRegistry {
  const foundations = new Map<string, FoundationPlugin>()
  const complexes = new Map<string, ComplexPlugin>()
  const services = new Map<string, ServicePlugin>()
  const modules = new Map<string, ModulePlugin>(own.map(one => [one.module, one]))
  const taken = new Set<string>(engineModules)
  for (const plugin of withComplexes(plugins)) {
    if (plugin.kind === 'complex') {
      if (complexes.has(plugin.type)) {
        throw new ContractorError('PLUGIN_INVALID', `Two plugins provide the Complex type '${plugin.type}'.`, {
          plugin: plugin.type,
        })
      }
      complexes.set(plugin.type, plugin)
      continue
    }
    if (plugin.kind === 'service') {
      // Services and modules share a token's names.
      if (services.has(plugin.name) || taken.has(plugin.name)) {
        throw new ContractorError('PLUGIN_INVALID', `Two plugins are named '${plugin.name}'. Pass each one once.`, {
          plugin: plugin.name,
        })
      }
      taken.add(plugin.name)
      services.set(plugin.name, plugin)
      continue
    }
    if (taken.has(plugin.module)) {
      throw new ContractorError('PLUGIN_INVALID', `Two plugins are named '${plugin.module}'. Pass each one once.`, {
        plugin: plugin.module,
      })
    }
    taken.add(plugin.module)
    if (plugin.kind === 'module') modules.set(plugin.module, plugin)
    else if (foundations.has(plugin.type)) {
      throw new ContractorError('PLUGIN_INVALID', `Two plugins provide the Foundation type '${plugin.type}'.`, {
        plugin: plugin.type,
      })
    } else foundations.set(plugin.type, plugin)
  }
  // Made once: zod compiles each schema anew.
  const strict = (of: ReadonlyMap<string, { fields: z.ZodObject }>) =>
    new Map([...of].map(([type, plugin]) => [type, plugin.fields.strict()]))
  const fields = strict(foundations)
  const complexFields = strict(complexes)
  const unknown = (kind: string, type: string, known: ReadonlyMap<string, unknown>) => {
    const names = [...known.keys()].sort()
    const hint = names.length ? `Known types: ${names.join(', ')}.` : `No plugin with a ${kind} type is loaded.`
    return new ContractorError('NOT_FOUND', `${kind} type '${type}' is not known. ${hint}`, {
      kind: `${kind} type`,
      id: type,
    })
  }
  const pluginOf = (module: string): FunctionPlugin | undefined =>
    modules.get(module) ?? [...foundations.values()].find(one => one.module === module)
  const registry: PluginRegistry = {
    foundations,
    complexes,
    services,
    modules,
    getFields(type) {
      const schema = fields.get(type)
      if (!schema) throw unknown('Foundation', type, foundations)
      return schema
    },
    getComplexFields(type) {
      const schema = complexFields.get(type)
      if (!schema) throw unknown('Complex', type, complexes)
      return schema
    },
    getFoundation(type) {
      const plugin = foundations.get(type)
      if (!plugin) throw unknown('Foundation', type, foundations)
      return plugin
    },
    hasModule: module => pluginOf(module) !== undefined,
    findTask(module, name) {
      const tasks = pluginOf(module)?.tasks
      return tasks && Object.hasOwn(tasks, name) ? tasks[name] : undefined
    },
    findFunction(module, name, foundationType) {
      const type = foundations.get(foundationType)
      const found = (plugin: FunctionPlugin | undefined, functions: Readonly<Record<string, AnyFunction>> = {}) => {
        const definition = Object.hasOwn(functions, name) ? functions[name] : undefined
        return plugin && definition && { plugin, definition }
      }
      if (module === 'foundation') return found(type, type?.functions)
      if (module === type?.module) return found(type, type.moduleFunctions)
      const plugin = modules.get(module)
      return found(plugin, plugin?.functions)
    },
  }
  return registry
}

/** With the Complex types that Foundation types stand on: who passes a Foundation's plugin need not pass these too. */
function withComplexes(plugins: readonly Plugin[]): Plugin[] {
  const needed = plugins.flatMap(one => (one.kind === 'foundation' && one.complex ? [one.complex] : []))
  return [...plugins, ...new Set(needed.filter(one => !plugins.includes(one)))]
}
