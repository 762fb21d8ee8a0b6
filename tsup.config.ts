import { defineConfig, type Options } from 'tsup'
import { type Workspace, workspaces } from './scripts/workspaces.ts'

/** One build for each package: entry files by name, everything else is imported from node_modules. */
function build({ folder, manifest, entries }: Workspace): Options {
  const path = `packages/${folder}`
  return {
    name: manifest.name,
    entry: Object.fromEntries(entries.map(entry => [entry, `${path}/src/${entry}.ts`])),
    outDir: `${path}/dist`,
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

export default defineConfig(workspaces.map(build))
