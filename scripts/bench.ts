import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * `npm run bench -- NAME…` runs the benchmarks of that name, or of that beginning (`tscript` runs `tscript/vm` and its
 * siblings); without a name, all. They stand beside what they measure, in files `*.bench.ts`, each of which exports
 * `benchmarks`: by name, a function that gives what it measured. Each result is one JSON line on standard output, with
 * the name in its field `bench`; a benchmark may give several.
 */
type Measured = Record<string, unknown>
type Benchmark = () => Promise<Measured | Measured[]> | Measured | Measured[]

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2)
const files = readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.bench.ts') && !/(^|\/)(node_modules|dist)\//.test(file))
  .map(file => join(root, 'packages', file))
  .sort()
const benchmarks = new Map<string, Benchmark>()
for (const file of files) {
  const module = (await import(pathToFileURL(file).href)) as { benchmarks?: Record<string, Benchmark> }
  for (const [name, run] of Object.entries(module.benchmarks ?? {})) benchmarks.set(name, run)
}

const isWanted = (name: string) => !wanted.length || wanted.some(one => name === one || name.startsWith(`${one}/`))
const unknown = wanted.filter(one => ![...benchmarks.keys()].some(name => name === one || name.startsWith(`${one}/`)))
if (unknown.length) {
  process.stderr.write(
    `No benchmark is named ${unknown.join(', ')}. There are:\n${[...benchmarks.keys()].sort().join('\n')}\n`,
  )
  process.exitCode = 2
} else {
  for (const [name, run] of benchmarks) {
    if (!isWanted(name)) continue
    process.stderr.write(`${name} …\n`)
    try {
      for (const line of [await run()].flat()) process.stdout.write(`${JSON.stringify({ bench: name, ...line })}\n`)
    } catch (error) {
      process.stderr.write(`${name} failed: ${error instanceof Error ? error.stack : String(error)}\n`)
      process.exitCode = 1
    }
  }
}
