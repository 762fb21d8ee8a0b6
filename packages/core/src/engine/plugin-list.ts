import type { Json, PluginView } from '@contractor/contract'
import type { AnyFunction } from '@contractor/plugin'
import { z } from 'zod'
import type { Engine } from './engine.ts'
import { surface } from './surface.ts'

/** What plugins bring: for those who fill in forms, and write scripts. */
export interface PluginList {
  /** In the order of their kinds and names. */
  list(): Promise<PluginView[]>
}

export function createPluginList({ plugins, ...engine }: Engine): PluginList {
  // They are the same as long as the engine runs, and their schemas are work.
  let views: PluginView[] | undefined
  return surface<PluginList>(
    { plugins, ...engine },
    {
      async list() {
        views ??= [
          ...[...plugins.foundations.values()].map(
            ({ type, module, classes, fields, functions, moduleFunctions }): PluginView => ({
              ...{ kind: 'foundation', name: type, module, classes: [...classes] },
              fields: schemaOf(fields),
              functions: [...functionsOf(functions), ...functionsOf(moduleFunctions, `${module}.`)],
            }),
          ),
          ...[...plugins.complexes.values()].map(
            ({ type, fields }): PluginView => ({
              ...{ kind: 'complex', name: type, module: '', classes: [], fields: schemaOf(fields), functions: [] },
            }),
          ),
          ...[...plugins.modules.values()].map(
            ({ module, functions }): PluginView => ({
              ...{ kind: 'module', name: module, module, classes: [], fields: null, functions: functionsOf(functions) },
            }),
          ),
          ...[...plugins.services.values()].map(
            ({ name, config }): PluginView => ({
              ...{ kind: 'service', name, module: name, classes: [], fields: schemaOf(config), functions: [] },
            }),
          ),
        ]
        return views
      },
    },
  )
}

/** What cannot be said in JSON Schema (a transformation, a check in code) is left out of it: the engine checks it all the same. */
const schemaOf = (schema: z.ZodType): Json => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json

const functionsOf = (functions: Readonly<Record<string, AnyFunction>>, prefix = ''): PluginView['functions'] =>
  Object.entries(functions).map(([name, { description = '', args }]) => ({
    ...{ name: `${prefix}${name}`, description, arguments: schemaOf(args as z.ZodType) },
  }))
