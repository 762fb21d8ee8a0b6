import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { itemsOf, method } from '../method.ts'
import { json } from '../primitives/json.ts'

/** What a plugin brings: a type of Foundations or Complexes, a module of functions, or a service. */
export const pluginView = z
  .object({
    kind: z.enum(['foundation', 'complex', 'module', 'service']),
    /** Of Foundations and Complexes: their type; of a module and a service: its name. */
    name: z.string(),
    /** Of its Tasks. */
    module: z.string(),
    /** Of a Foundation type: what config values and scripts may be for. */
    classes: z.array(z.string()),
    /** Of its own fields, or of a service's configuration: JSON Schema (2020-12), with `secret: true` at secret ones. */
    fields: json.nullable(),
    /** What scripts may call, and with which arguments; `MODULE.NAME` where it is not called as `foundation.NAME`. */
    functions: z.array(z.object({ name: z.string(), description: z.string(), arguments: json })),
  })
  .meta({ id: 'Plugin' })
export type PluginView = z.output<typeof pluginView>

export const plugin = defineNoun({
  ...{ name: 'Plugin', path: 'plugins', part: 'plugins' },
  methods: {
    list: method({
      ...({ on: 'all', path: '', output: itemsOf(pluginView), under: 'items' } as const),
      summary: 'List what plugins bring, with the schemas of their fields',
    }),
  },
})
