import { z } from 'zod'

/** Plain JSON: the only form in which state, arguments, parameters and results are kept and sent. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

// Named, so that a document generated from schemas can refer to it from inside itself.
export const json: z.ZodType<Json> = z
  .lazy(() => z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]))
  .meta({ id: 'Json' })
