import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { listQuery } from '../field.ts'
import { lists, method } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { json } from '../primitives/json.ts'
import { nameUnknown } from '../primitives/near-name.ts'

/** Values as they are shown: secrets in them are `***`. */
export const shownValues = z.record(z.string(), json)

/** Where one value comes from. */
export const valueExplanation = z
  .object({
    key: z.string(),
    /** As it is in the config; absent when it was deleted, or cannot be rendered. */
    value: json.optional(),
    /** Before rendering, where that is another. */
    template: json.optional(),
    /** Other values that its template names. */
    refersTo: z.array(z.string()),
    /** What each source did to it, in order: the last one decides unless it joins. */
    layers: z.array(
      z.object({
        /** `BluePrint NAME`, `Site NAME`, `Structure NAME`, or `attributes` for what the engine itself says. */
        source: z.string(),
        /** The name as it is written there, with its prefix and class. */
        written: z.string(),
        value: json,
        /** The merged value afterwards; absent when this source deleted it. */
        result: json.optional(),
      }),
    ),
    /** Why it cannot be rendered. */
    error: z.string().optional(),
  })
  .meta({ id: 'ValueExplanation' })
export type ValueExplanation = z.output<typeof valueExplanation>

/** For every key, in alphabetical order, also for those that are deleted in the end. */
export type ConfigExplanation = ValueExplanation[]

/** What every target of config can be asked. */
export const configMethods = {
  config: method({
    ...({ on: 'one', path: '/config', output: shownValues } as const),
    summary: 'Its config, merged and rendered',
  }),
  explainConfig: method({
    ...({ on: 'one', path: '/config/explain', under: 'items' } as const),
    output: z.object({ items: z.array(valueExplanation) }),
    summary: 'Where each value of its config comes from',
  }),
}

/** One change of one config value, by a script or by an operator. */
export const configChangeView = z
  .object({
    id: z.number().int(),
    at: z.iso.datetime(),
    /** A token's name, `Job NUMBER`, or what an embedding program said. */
    by: z.string(),
    site: z.string().nullable(),
    blueprint: z.string().nullable(),
    structure: z.number().int().nullable(),
    /** As written, with its prefix and class. */
    key: z.string(),
    /** Absent when it was new. */
    before: json.optional(),
    /** Absent when it was taken away. */
    after: json.optional(),
  })
  .meta({ id: 'ConfigChange' })
export type ConfigChange = z.output<typeof configChangeView>

export const configChangeQuery = listQuery(
  z.strictObject(
    {
      site: z.string().optional(),
      blueprint: z.string().optional(),
      structure: z.number().int().optional(),
      key: z.string().optional(),
    },
    { error: nameUnknown },
  ),
  idPageRequest,
)

/** What was changed in config values, the latest first; also of what is gone. */
export const configChange = defineNoun({
  ...{ name: 'ConfigChange', path: 'config-changes', part: 'configChanges' },
  methods: {
    list: lists(configChangeQuery, configChangeView, { one: 'a change', many: 'changes of config values' }),
  },
})
