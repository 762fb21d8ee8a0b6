import { z } from 'zod'
import { json } from '../primitives/json.ts'
import { change } from './saved.ts'

export const fieldChange = z.object({
  /** As the file names it: `config_values.swap_size`, `scripts.create`, `boot_script`. */
  field: z.string(),
  /** Absent when there was none. */
  before: json.optional(),
  /** Absent when there is none any more. */
  after: json.optional(),
  /** Instead of both, of text of several lines: a unified diff. */
  diff: z.string().optional(),
})
export type FieldChange = z.output<typeof fieldChange>

export const resourceChange = z.object({
  kind: z.enum(['script', 'foundation', 'structure', 'pxe', 'sflink']),
  name: z.string(),
  /** The file that has it. */
  file: z.string(),
  change,
  /** What is different, by name; of what is created: everything that is said of it. */
  fields: z.array(fieldChange),
})
export type ResourceChange = z.output<typeof resourceChange>

export const loadResult = z
  .object({ changes: z.array(resourceChange), warnings: z.array(z.string()) })
  .meta({ id: 'LoadResult' })
/** What loading files has done; after a dry run: what it would do. */
export type LoadResult = z.output<typeof loadResult>
