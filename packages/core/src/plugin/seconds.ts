import { z } from 'zod'

/** A length of time as scripts give it: a number of seconds, or a time such as `5:00`. The output is in seconds. */
export const seconds: z.ZodType<number, number | { $time: number }> = z.union([
  z.number().min(0),
  z.object({ $time: z.number().min(0) }).transform(time => time.$time),
])
