import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

/** One build for each package: entry files by name, everything else is imported from node_modules. */
function build(folder: string, entries: string[]): Options {
  const { name } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { name: string }
  return {
    name,
    entry: Object.fromEntries(entries.map(entry => [entry, `${folder}/src/${entry}.ts`])),
    outDir: `${folder}/dist`,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Declarations come from `tsc -b`, which is faster and writes into the same folder.
    dts: false,
    clean: ['!**/*.d.ts', '!**/built-image.js'],
    sourcemap: true,
    splitting: true,
    skipNodeModulesBundle: true,
    // What a package imports under a name of its own is made by itself.
    external: [/^#/],
  }
}

export default defineConfig([
  build('packages/tscript', ['index', 'cli']),
  build('packages/plugin', ['index', 'wire', 'engine', 'directory-lock', 'agent/index', 'testing/index']),
  build('packages/core', ['index', 'plugin', 'testing/index']),
  build('packages/server', ['index', 'cli']),
  build('packages/subcontractor', ['index', 'cli']),
  build('packages/plugins/process', ['index', 'handlers/index', 'supervisor/main']),
  build('packages/plugins/iputils', ['index', 'handlers/index']),
  build('packages/plugins/manual', ['index']),
])
