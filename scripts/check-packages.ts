import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { followDocs } from './follow-docs.ts'
import { application, embedding } from './user-programs.ts'
import { type Manifest, workspaces } from './workspaces.ts'

/**
 * Packs every package and installs the packed files in projects elsewhere, one with the oldest and one with the newest
 * version of every peer that is allowed: imports each entry as a user would, checks its types, and runs programs and
 * commands. What is missing from a package's files, exports or dependencies, and a range that promises too much, show
 * here only.
 */
const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const folders = workspaces.map(one => one.folder)
const elsewhere = await mkdtemp(join(tmpdir(), 'contractor-packed-'))
const npm = (args: string[], cwd: string) => run('npm', args, { cwd, maxBuffer: 1 << 24 })
const tool = (name: string) => join(root, 'node_modules/.bin', name)

interface Packed {
  manifest: Manifest
  tarball: string
}

async function pack(folder: string): Promise<Packed> {
  const path = join(root, 'packages', folder)
  const { stdout } = await npm(['pack', '--json', '--pack-destination', elsewhere], path)
  const [file] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>)
  if (!file) throw new Error(`npm pack of ${folder} made nothing`)
  const paths = file.files.map(one => one.path)
  for (const name of ['LICENSE', 'README.md'])
    if (!paths.includes(name)) throw new Error(`the package of ${folder} has no ${name}`)
  if (folder === 'core' && !paths.includes('dist/built-image.js'))
    throw new Error('the engine has no image of a database')
  const odd = paths.find(one => !/^(dist|bin)\/.*\.(js|map|d\.ts)$|^template\/|^[^/.][^/]*$/.test(one))
  if (odd) throw new Error(`the package of ${folder} has ${odd}, which nobody needs`)
  const manifest = JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as Manifest
  return { manifest, tarball: join(elsewhere, file.filename) }
}

/** `which` says of a peer's range what is installed. */
async function install(name: string, packed: Packed[], which: (range: string) => string): Promise<string> {
  const project = join(elsewhere, name)
  await mkdir(project)
  const peers = Object.assign({}, ...packed.map(one => one.manifest.peerDependencies)) as Record<string, string>
  const wanted = Object.entries(peers).map(([peer, range]) => `${peer}@${which(range)}`)
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  await npm(['install', '--no-audit', '--no-fund', ...packed.map(one => one.tarball), ...wanted], project)
  await writeFile(join(project, 'embed.mjs'), embedding)
  await writeFile(join(project, 'application.ts'), application)
  return project
}

const entriesOf = (packed: Packed[]) =>
  packed.flatMap(({ manifest: { name, exports } }) =>
    Object.keys(exports)
      .filter(entry => !entry.endsWith('.json'))
      .map(entry => name + entry.slice(1)),
  )

async function importAll(project: string, entries: string[]): Promise<void> {
  const imports = entries.map((entry, at) => `import * as m${at} from '${entry}'`).join('\n')
  const uses = `[${entries.map((_, at) => `m${at}`).join(', ')}]`
  await writeFile(
    join(project, 'imports.mjs'),
    `${imports}\nfor (const m of ${uses}) if (!Object.keys(m).length) throw new Error('an entry is empty')\n`,
  )
  await writeFile(join(project, 'imports.ts'), `${imports}\nexport const all = ${uses}\n`)
  await run(process.execPath, ['imports.mjs'], { cwd: project })
}

async function checkTypes(project: string, module: { module: string; moduleResolution: string }): Promise<void> {
  const options = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['ES2023', 'DOM'], target: 'ES2023' },
    ...module,
  }
  const files = ['imports.ts', 'application.ts']
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))
  await run(tool('tsc'), ['-p', '.'], { cwd: project })
}

async function runs(project: string, program: string): Promise<void> {
  const { stdout } = await run(process.execPath, [program], { cwd: project })
  if (stdout.trim() !== 'lab') throw new Error(`${program} said '${stdout.trim()}'`)
}

/** As a program that is shipped: it reads nothing of its packages' own. PGlite's files are not ours. */
async function bundle(project: string, ...output: string[]): Promise<void> {
  const options = ['--bundle', '--platform=node', '--format=esm', '--external:@electric-sql/pglite']
  await run(tool('esbuild'), ['embed.mjs', ...options, ...output], { cwd: project })
}

/** A database whose package is not installed says so itself. */
async function lacks(project: string, program: string, peer: string, database: string): Promise<void> {
  const failed = await run(process.execPath, [program, database], { cwd: project }).catch(error => error)
  if (!String(failed.stderr).includes(`run npm install ${peer}`))
    throw new Error(`Without ${peer}, ${database} does not say that it is needed: ${failed.stderr}`)
}

const nodeNext = { module: 'NodeNext', moduleResolution: 'NodeNext' }
const bundler = { module: 'ESNext', moduleResolution: 'Bundler' }

async function checkOldest(packed: Packed[]): Promise<void> {
  const project = await install('oldest', packed, range => /\d+\.\d+\.\d+/.exec(range)?.[0] ?? range)
  await importAll(project, entriesOf(packed))
  await checkTypes(project, nodeNext)
  await runs(project, 'embed.mjs')
}

async function checkNewest(packed: Packed[]): Promise<void> {
  const project = await install('newest', packed, range => range)
  const remove = (name: string) => rm(join(project, 'node_modules', name), { recursive: true })
  await importAll(project, entriesOf(packed))
  await checkTypes(project, nodeNext)
  await checkTypes(project, bundler)
  await runs(project, 'embed.mjs')
  await bundle(project, '--outfile=one/embed.mjs')
  await runs(project, 'one/embed.mjs')
  await bundle(project, '--splitting', '--outdir=several')
  for (const bin of packed.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {})))
    await run(join(project, 'node_modules/.bin', bin), ['--help'], { cwd: project })
  await remove('postgres')
  await lacks(project, 'embed.mjs', 'postgres', 'postgres://nobody@127.0.0.1:1/none')
  await runs(project, 'embed.mjs')
  await remove('@electric-sql/pglite')
  await lacks(project, 'embed.mjs', '@electric-sql/pglite', 'memory:')
  await lacks(project, 'several/embed.js', '@electric-sql/pglite', 'memory:')
}

try {
  const packed: Packed[] = []
  for (const folder of folders) packed.push(await pack(folder))
  await Promise.all([checkOldest(packed), checkNewest(packed)])
  await followDocs(join(root, 'docs/plugins.md'), join(elsewhere, 'author'), packed)
  process.stdout.write(
    `${packed.length} packages with ${entriesOf(packed).length} entries install, import and type-check elsewhere, with the oldest and the newest peers; docs/plugins.md does what it says\n`,
  )
} catch (error) {
  const output = error as { stdout?: string; stderr?: string }
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\n${output.stdout ?? ''}${output.stderr ?? ''}`,
  )
  process.exitCode = 1
} finally {
  await rm(elsewhere, { recursive: true, force: true })
}
