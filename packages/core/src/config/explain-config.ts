import { isContractorError, type Json, json, maskSecrets } from '@contractor/plugin'
import { asJson } from '@contractor/plugin/engine'
import { z } from 'zod'
import type { Templates } from '../jinja/templates.ts'
import { type Layer, type MergeStep, mergeLayers } from './merge-values.ts'
import { namedBy, renderValues } from './render-values.ts'

/** Where one value comes from. */
export const valueExplanation = z.object({
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
export type ValueExplanation = z.output<typeof valueExplanation>

/** For every key, in alphabetical order, also for those that are deleted in the end. */
export type ConfigExplanation = ValueExplanation[]

export function explainValues(
  templates: Templates,
  layers: readonly Layer[],
  classes: readonly string[],
  target: string,
): ConfigExplanation {
  const steps = new Map<string, MergeStep[]>()
  const merged = mergeLayers(layers, classes, (name, step) => {
    const known = steps.get(name)
    if (known) known.push(step)
    else steps.set(name, [step])
  })
  const rendered = renderValues(templates, merged, target)
  const explained = [...steps.keys()].sort().map((key): ValueExplanation => {
    const written = merged.get(key)
    const common = {
      key,
      refersTo: written === undefined ? [] : namedBy(templates, merged, key),
      layers: steps.get(key) ?? [],
    }
    try {
      const value = rendered.get(key)
      const isTemplate = JSON.stringify(value) !== JSON.stringify(written)
      return { ...common, ...(value !== undefined && { value }), ...(isTemplate && { template: written as Json }) }
    } catch (error) {
      if (!isContractorError(error)) throw error
      return { ...common, template: written as Json, error: error.message }
    }
  })
  return maskSecrets(asJson(explained)) as ConfigExplanation
}
