import { z } from 'zod'

/** Plain JSON: the only form in which state, arguments, parameters and results are kept and sent. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export const json: z.ZodType<Json> = z.json() as z.ZodType<Json>
