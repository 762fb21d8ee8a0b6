import { z } from 'zod'

/** What saving something did. */
export const change = z.enum(['created', 'changed', 'unchanged'])
export type Change = z.output<typeof change>

export const saved = z.object({ change })
