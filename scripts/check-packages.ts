import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Packs every package and installs the packed files in a project elsewhere: imports each entry as a user would, checks
 * its types, and runs the commands. What is missing from a package's files, exports or dependencies shows here only.
 */
const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const folders = [
  'tscript',
  'plugin',
  'core',
  'server',
  'subcontractor',
  ...(await readdir(join(root, 'packages/plugins'))).map(name => `plugins/${name}`),
]
const project = await mkdtemp(join(tmpdir(), 'contractor-packed-'))
const npm = (args: string[], cwd: string) => run('npm', args, { cwd, maxBuffer: 1 << 24 })

/** A program of a user's, which needs the migrations and the embedded database to be in the packages too. */
const embedding = `
import { createContractor } from '@contractor/core'
import { processFoundation } from '@contractor/plugin-process'
const contractor = await createContractor({ database: 'memory:', plugins: [processFoundation] })
await contractor.sites.create({ name: 'lab' })
console.log((await contractor.sites.list()).items.map(site => site.name).join())
await contractor.close()
`

const notBundled = ['--external:@electric-sql/pglite']

interface Packed {
  filename: string
  files: { path: string }[]
}

interface Manifest {
  name: string
  bin?: Record<string, string>
  exports: Record<string, unknown>
}

try {
  const manifests: Manifest[] = []
  const tarballs: string[] = []
  for (const folder of folders) {
    const path = join(root, 'packages', folder)
    const { stdout } = await npm(['pack', '--json', '--pack-destination', project], path)
    const packed = JSON.parse(stdout) as Packed[] | Record<string, Packed>
    const [file] = Object.values(packed)
    if (!file) throw new Error(`npm pack of ${folder} made nothing`)
    const paths = file.files.map(one => one.path)
    if (!paths.includes('LICENSE')) throw new Error(`the package of ${folder} has no LICENSE`)
    const odd = paths.find(path => !/^(dist|bin)\/.*\.(js|map|d\.ts)$|^[^/]+$/.test(path))
    if (odd) throw new Error(`the package of ${folder} has ${odd}, which nobody needs`)
    tarballs.push(join(project, file.filename))
    manifests.push(JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as Manifest)
  }
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  await npm(['install', '--no-audit', '--no-fund', ...tarballs], project)

  const entries = manifests.flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter(entry => !entry.endsWith('.json'))
      .map(entry => name + entry.slice(1)),
  )
  const imports = entries.map((entry, at) => `import * as m${at} from '${entry}'`).join('\n')
  const uses = entries.map((_, at) => `m${at}`).join(', ')
  await writeFile(
    join(project, 'imports.mjs'),
    `${imports}\nfor (const m of [${uses}]) if (!Object.keys(m).length) throw new Error('an entry is empty')\n`,
  )
  await writeFile(join(project, 'types.ts'), `${imports}\nexport const all = [${uses}]\n${embedding}`)
  const options = {
    strict: true,
    noEmit: true,
    module: 'NodeNext',
    target: 'ES2023',
    lib: ['ES2023', 'DOM'],
    types: [],
    skipLibCheck: true,
  }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['types.ts'] }))
  await run(process.execPath, ['imports.mjs'], { cwd: project })
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: project })
  for (const bin of manifests.flatMap(manifest => Object.keys(manifest.bin ?? {}))) {
    await run(join(project, 'node_modules/.bin', bin), ['--help'], { cwd: project })
  }
  await writeFile(join(project, 'embed.mjs'), embedding)
  const { stdout } = await run(process.execPath, ['embed.mjs'], { cwd: project })
  if (stdout.trim() !== 'lab') throw new Error(`the embedded engine said '${stdout.trim()}'`)
  // In one file, as a program that is shipped: it reads nothing of its packages' own. PGlite's image is not ours.
  const bundling = ['embed.mjs', '--bundle', '--platform=node', '--format=esm', '--outfile=out/bundle.mjs']
  await run(join(root, 'node_modules/.bin/esbuild'), [...bundling, ...notBundled], { cwd: project })
  const bundled = await run(process.execPath, ['out/bundle.mjs'], { cwd: project })
  if (bundled.stdout.trim() !== 'lab') throw new Error(`the bundled engine said '${bundled.stdout.trim()}'`)
  process.stdout.write(
    `${folders.length} packages with ${entries.length} entries install, import and type-check elsewhere\n`,
  )
} catch (error) {
  const output = error as { stdout?: string; stderr?: string }
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\n${output.stdout ?? ''}${output.stderr ?? ''}`,
  )
  process.exitCode = 1
} finally {
  await rm(project, { recursive: true, force: true })
}
