import { join } from 'node:path'

export const confMarker = '// Written by Contractor: changes made here are lost.'

/** What named's own configuration includes: every zone with its file, in `directory` as named sees it. */
export function namedConf(zones: readonly { readonly name: string }[], directory: string): string {
  const blocks = zones.map(({ name }) => {
    const file = join(directory, `${name}.zone`).replace(/["\\]/g, '\\$&')
    return `zone "${name}" IN {\n\ttype primary;\n\tfile "${file}";\n};\n`
  })
  return `${confMarker}\n${blocks.join('')}`
}
