import type { AnyFunction, TaskDefinition } from '@contractor/plugin'
import {
  ContractorError,
  engineModules,
  type FoundationPlugin,
  type ModulePlugin,
  type Plugin,
} from '@contractor/plugin'
import { dhcpModule } from '../pxe/dhcp-module.ts'
import { signaling } from '../signal/signaling.ts'
import { structureModule } from '../structure/structure-module.ts'

/** The plugins that the host passed in. */
export interface PluginRegistry {
  readonly foundations: ReadonlyMap<string, FoundationPlugin>
  readonly modules: ReadonlyMap<string, ModulePlugin>
  /** Throws NOT_FOUND for a type that no plugin provides. */
  getFoundation(type: string): FoundationPlugin
  /** The schema of a type's own fields, which refuses others. Made once: zod compiles each schema anew. */
  getFields(type: string): FoundationPlugin['fields']
  hasModule(module: string): boolean
  /** What an agent's module does, for the checks of its answers. */
  findTask(module: string, name: string): TaskDefinition | undefined
  /** A module's function, for the Foundation type at hand where the module is `foundation`. */
  findFunction(
    module: string,
    name: string,
    foundationType: string,
  ): { plugin: Plugin; definition: AnyFunction } | undefined
}

/** Throws PLUGIN_INVALID when two plugins claim one name. */
export function createPluginRegistry(plugins: readonly Plugin[]): PluginRegistry {
  const foundations = new Map<string, FoundationPlugin>()
  const modules = new Map<string, ModulePlugin>([signaling, dhcpModule, structureModule].map(own => [own.module, own]))
  const taken = new Set<string>(engineModules)
  for (const plugin of plugins) {
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
  const fields = new Map([...foundations].map(([type, plugin]) => [type, plugin.fields.strict()]))
  const pluginOf = (module: string): Plugin | undefined =>
    modules.get(module) ?? [...foundations.values()].find(one => one.module === module)
  const registry: PluginRegistry = {
    foundations,
    modules,
    getFields: type => fields.get(type) ?? registry.getFoundation(type).fields,
    getFoundation(type) {
      const plugin = foundations.get(type)
      if (plugin) return plugin
      const known = [...foundations.keys()].sort()
      const hint = known.length ? `Known types: ${known.join(', ')}.` : 'No plugin with a Foundation type is loaded.'
      throw new ContractorError('NOT_FOUND', `Foundation type '${type}' is not known. ${hint}`, {
        kind: 'Foundation type',
        id: type,
      })
    },
    hasModule: module => pluginOf(module) !== undefined,
    findTask(module, name) {
      const tasks = pluginOf(module)?.tasks
      return tasks && Object.hasOwn(tasks, name) ? tasks[name] : undefined
    },
    findFunction(module, name, foundationType) {
      const plugin = module === 'foundation' ? foundations.get(foundationType) : modules.get(module)
      if (!plugin || !Object.hasOwn(plugin.functions, name)) return undefined
      const definition = plugin.functions[name]
      return definition && { plugin, definition }
    },
  }
  return registry
}
