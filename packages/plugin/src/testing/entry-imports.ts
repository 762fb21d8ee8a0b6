import { existsSync, readFileSync } from 'node:fs'

/** An import that would load something, with the file that it stands in. */
export interface EntryImport {
  file: string
  specifier: string
}

/** `import …` and `export … from`; what is only a type is erased and loads nothing. */
const statement =
  /(?:^|[;\n])\s*(?:import|export)\s+(?!type\s)(?:[\w*{][^'"`;=()]*?\bfrom\s*)?['"]([^'"\n]+)['"]|\b(?:import|require)\s*\(\s*['"`]([^'"`\n]+)['"`]/g

/**
 * All imports of other packages that loading `entry` leads to: its source and those that it imports relatively are read,
 * and nothing is run. A dynamic import counts, since it would load something at some time.
 */
export function findEntryImports(entry: URL): EntryImport[] {
  const found: EntryImport[] = []
  const seen = new Set<string>()
  const open = [entry]
  for (let file = open.pop(); file; file = open.pop()) {
    if (seen.has(file.href)) continue
    seen.add(file.href)
    for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('.')) open.push(sourceOf(new URL(specifier, file)))
      else found.push({ file: file.pathname, specifier })
    }
  }
  return found
}

/** The file that an import names: of sources that are compiled, `./x.js` names `./x.ts`. */
function sourceOf(named: URL): URL {
  if (existsSync(named)) return named
  const source = new URL(named.href.replace(/\.([cm]?)js$/, '.$1ts'))
  return existsSync(source) ? source : named
}

function importsOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
  return [...code.matchAll(statement)].map(match => match[1] ?? match[2] ?? '')
}
