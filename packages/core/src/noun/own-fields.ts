import { holdsSecret, json, mapSecretPlaces, parseInput, secretMask } from '@contractor/contract'
import type { z } from 'zod'
import type { Values } from '../database/columns.ts'
import type { Engine } from '../engine/engine.ts'

export interface OwnFields {
  schema: z.ZodObject
  type: string
  whose: string
}

/**
 * The own fields of a Foundation or a Complex, checked by its type's schema, with the secret ones sealed. A secret that is
 * given as it is shown (`***`) is the present one. `type` and `whose` name it in messages.
 */
export function parseOwnFields(
  engine: Engine,
  { schema, type, whose }: OwnFields,
  fields: Values,
  present: Values = {},
): Values {
  const kept = mapSecretPlaces(schema, fields, (text, path) => {
    const before = text === secretMask ? present[path] : undefined
    return typeof before === 'string' ? before : text
  })
  const parsed = json.parse(parseInput(schema, kept, `The ${type} fields of ${whose}`))
  return mapSecretPlaces(schema, parsed, (text, path) =>
    holdsSecret(text) ? text : engine.seals.seal(text, `Field '${path}' of ${whose}`),
  ) as Values
}
