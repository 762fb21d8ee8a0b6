import { z } from 'zod'

const path = z
  .string()
  .max(1000)
  .regex(/^(\/[A-Za-z0-9._@:+,=~-]+)+$/, 'must be an absolute path, of letters, digits and . _ @ : + , = ~ -')
  .refine(text => !/\/\.\.?(\/|$)/.test(text), 'must be without . and .. in between')
const text = z.string().max(1_000_000)
const mode = z.string().regex(/^0?[0-7]{3,4}$/, 'must be permissions in octal, as 0644')

const common = {
  mode: mode.default('0644'),
  /** What stands in the texts for a number that rises with each change, as a zone file has to have one. */
  serial: z.string().min(3).max(40).nullable().default(null),
}

/** A file, or what a folder has of ours: its files by their names in it. */
const fileEntry = z.union([
  z.strictObject({ path, content: text, ...common }),
  z.strictObject({ folder: path, contents: z.record(z.string(), text), ...common }),
])
/** As scripts and configs write them. */
export const fileEntries = z.array(fileEntry).max(200)

/** As handlers have them. */
export const fileList = z.array(z.object({ path, content: text, ...common })).max(1000)
export type FileList = z.output<typeof fileList>

/** Each file by itself. Throws where two are one. */
export function filesOf(entries: z.output<typeof fileEntries>): z.input<typeof fileList> {
  const files = entries.flatMap(entry => {
    if ('path' in entry) return [entry]
    const { folder, contents, ...rest } = entry
    return Object.entries(contents).map(([name, content]) => ({ path: `${folder}/${name}`, content, ...rest }))
  })
  const paths = files.map(one => one.path)
  const twice = paths.find((one, at) => paths.indexOf(one) !== at)
  if (twice !== undefined) throw new Error(`${twice} is among the files twice`)
  return files
}
