import {
  asJson,
  type ConfigExplanation,
  isContractorError,
  type Json,
  maskSecrets,
  type ValueExplanation,
} from '@contractor/contract'
import type { Templates } from '../jinja/templates.ts'
import { type Layer, type MergeStep, mergeLayers } from './merge-values.ts'
import { namedBy, renderValues } from './render-values.ts'

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
