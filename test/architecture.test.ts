import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Manifest, workspaces } from '../scripts/workspaces.ts'

/** What holds the house together: who may import whom, and what files may be like. Read from the sources themselves. */
const root = join(import.meta.dirname, '..')

interface Source {
  /** From the root. */
  file: string
  text: string
  /** What is imported as a value or a type, and by `import()`. */
  imports: string[]
  /** Of these, what is there when the program runs. */
  values: string[]
}

const packages = workspaces.map(one => one.folder)

function sourcesOf(folder: string): Source[] {
  const path = join(root, 'packages', folder, 'src')
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !/\.(test|bench)\.ts$/.test(name))
    .map(name => {
      const text = readFileSync(join(path, name), 'utf8')
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
      const statements = [
        ...code.matchAll(/^(?:import|export)\s(type\s)?[^'"]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm),
      ]
      const dynamic = [...code.matchAll(/\bimport\(\s*'([^']+)'/g)].map(found => found[1] ?? '')
      return {
        file: relative(root, join(path, name)),
        text,
        imports: [...statements.map(found => found[2] ?? found[3] ?? ''), ...dynamic],
        values: statements.filter(found => !found[1]).map(found => found[2] ?? found[3] ?? ''),
      }
    })
}

const manifestOf = (folder: string): Manifest =>
  (workspaces.find(one => one.folder === folder) as (typeof workspaces)[number]).manifest
const ours = new Map(packages.map(manifestOf).map(manifest => [manifest.name, manifest]))

const sources = new Map(packages.map(name => [name, sourcesOf(name)]))
const all = [...sources.values()].flat()
/** A name with # is of the package's own. */
const isOutside = (name: string) => !/^[.#]/.test(name)
const packageOf = (name: string) =>
  name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name)

/** Every import of a package's files that is not of its own files, as `file: import`. */
function outsideImports(name: string, among: (file: string) => boolean = () => true): string[] {
  return (sources.get(name) ?? [])
    .filter(source => among(source.file))
    .flatMap(source => source.imports.filter(isOutside).map(imported => `${source.file}: ${imported}`))
}

/** Those imports that none of the patterns allows. */
const except = (imports: string[], ...allowed: RegExp[]) =>
  imports.filter(line => !allowed.some(one => one.test(line.split(': ')[1] ?? '')))

const node = /^node:/
const zod = /^zod$/
const primitives = /^@contractor\/contract\/primitives$/
const contract = /^@contractor\/plugin$/
const driver = /^@contractor\/driver($|\/)/
/** What a driver speaks to its device with: whatever its package declares, for its handlers alone. */
const devicesOf = (name: string) =>
  Object.keys(manifestOf(name).dependencies ?? {}).map(one => new RegExp(`^${one}($|/)`))

/**
 * The rooms of the engine, in their order: each knows those before it alone. What is kept, and how templates are read; what
 * every part is given; what has happened; what may be asked; what all nouns have; what needs what; what is written by authors; names and
 * wires; what is merged of all that; what runs; what there is; what machines are told; who comes in.
 */
const rooms = [
  'database',
  'jinja',
  'engine',
  'event',
  'filter',
  'noun',
  'graph',
  'definition',
  'dns',
  'network',
  'config',
  'run',
  'inventory',
  'boot',
  'access',
  'testing',
] as const

const roomOf = (file: string): string | undefined => /^packages\/core\/src\/([^/]+)\//.exec(file)?.[1]

/** The ways round, by what leads where. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (one: string, path: string[]) => {
    if (path.includes(one)) return void circles.push([...path.slice(path.indexOf(one)), one].join(' → '))
    if (done.has(one)) return
    for (const next of graph.get(one) ?? []) visit(next, [...path, one])
    done.add(one)
  }
  for (const one of graph.keys()) visit(one, [])
  return circles
}

describe('imports', () => {
  it('tscript knows ohm and nothing of Contractor', () => {
    expect(except(outsideImports('tscript'), node, /^ohm-js$/)).toEqual([])
  })

  it('the contract of the API needs zod only, so that a browser, an agent and a client may have it', () => {
    expect(except(outsideImports('contract'), zod)).toEqual([])
    const { dependencies, peerDependencies } = manifestOf('contract')
    expect({ dependencies, peerDependencies: Object.keys(peerDependencies ?? {}) }).toEqual({
      peerDependencies: ['zod'],
    })
  })

  it('the plugin contract needs zod and what both contracts stand on only; its laws, and what only agents need, Node besides', () => {
    const isBeside = (file: string) => /\/src\/(testing\/|agent\/|directory-lock\.ts)/.test(file)
    expect(
      except(
        outsideImports('plugin', file => !isBeside(file)),
        zod,
        primitives,
      ),
    ).toEqual([])
    expect(except(outsideImports('plugin', isBeside), zod, primitives, node)).toEqual([])
    const inner = all.filter(source => source.file.startsWith('packages/plugin/src/') && !isBeside(source.file))
    expect(inner.filter(source => source.imports.some(isBeside))).toEqual([])
  })

  it('what drivers share knows the plugin contract, and loads Node only where handlers do', () => {
    const isDefinition = (file: string) =>
      !/\/src\/(program|breaker|snmp|https|until|uuid|ssh|known-hosts)\.ts$/.test(file)
    expect(except(outsideImports('driver', isDefinition), zod, contract)).toEqual([])
    expect(except(outsideImports('driver'), zod, contract, node, /^(net-snmp|ssh2|undici)$/)).toEqual([])
  })

  it('core and server know no plugin, and core knows neither server nor agent', () => {
    const others = /^@contractor\/(plugin-|subcontractor)/
    expect(
      outsideImports('core').filter(line => /: @contractor\/(?!tscript$|contract$|plugin($|\/))/.test(line)),
    ).toEqual([])
    expect(outsideImports('server').filter(line => others.test(line.split(': ')[1] ?? ''))).toEqual([])
    for (const name of ['core', 'server']) {
      for (const source of sources.get(name) ?? [])
        expect(source.text, source.file).not.toMatch(/@contractor\/plugin-[a-z]/)
    }
  })

  it('agents and plugins see the plugin contract, and no engine', () => {
    const seen = /^@contractor\/plugin($|\/(wire|agent|directory-lock)$)/
    expect(
      outsideImports('subcontractor').filter(
        line => /@contractor\//.test(line) && !seen.test(line.split(': ')[1] ?? ''),
      ),
    ).toEqual([])
    for (const name of packages.filter(one => one.startsWith('plugins/')))
      expect(except(outsideImports(name), node, zod, contract, driver, ...devicesOf(name)), name).toEqual([])
  })

  it('what the engine loads of a plugin is pure: nothing but zod and the contract', () => {
    for (const name of packages.filter(one => one.startsWith('plugins/'))) {
      const own = new Map((sources.get(name) ?? []).map(source => [source.file, source]))
      const seen = new Set<string>()
      const visit = (file: string) => {
        if (seen.has(file)) return
        seen.add(file)
        for (const imported of own.get(file)?.values ?? []) {
          if (isOutside(imported)) expect(imported, file).toMatch(/^(zod|@contractor\/(plugin|driver))$/)
          else visit(normalize(join(dirname(file), imported)))
        }
      }
      visit(`packages/${name}/src/index.ts`)
      expect([...seen].filter(file => file.includes('/handlers/'))).toEqual([])
    }
  })

  it('make no circles between files, of types neither', () => {
    const files = new Map(
      all.map(source => [
        source.file,
        source.imports.filter(name => !isOutside(name)).map(name => normalize(join(dirname(source.file), name))),
      ]),
    )
    expect(circlesOf(files)).toEqual([])
  })

  it('make no circles between folders', () => {
    const folders = new Map<string, string[]>()
    for (const { file, imports } of all) {
      const own = dirname(file)
      const named = imports.filter(name => !isOutside(name)).map(name => dirname(normalize(join(own, name))))
      // Where a package begins, it has from everywhere, and a bundle of one file is no folder.
      if (/\/src$/.test(own)) continue
      folders.set(own, [...(folders.get(own) ?? []), ...named.filter(other => other !== own && !/\/src$/.test(other))])
    }
    expect(circlesOf(folders)).toEqual([])
  })

  it('of the engine go from a room to those before it, and to none behind it', () => {
    const wrong = (sources.get('core') ?? []).flatMap(({ file, imports }) => {
      const own = roomOf(file)
      if (own === undefined) return []
      expect(rooms, file).toContain(own)
      return imports
        .filter(name => !isOutside(name))
        .map(name => normalize(join(dirname(file), name)))
        .filter(to => own !== 'testing' && rooms.indexOf(roomOf(to) as never) > rooms.indexOf(own as never))
        .map(to => `${file} → ${to}`)
    })
    expect(wrong).toEqual([])
  })

  it('are declared, and everything declared is used, or is for a package of ours that is', () => {
    for (const [name, files] of sources) {
      const manifest = manifestOf(name)
      const used = files
        .flatMap(source => source.imports.filter(isOutside))
        .map(packageOf)
        .filter(one => !one.startsWith('node:') && one !== manifest.name)
      const needed = used.flatMap(one => [one, ...Object.keys(ours.get(one)?.peerDependencies ?? {})])
      const { dependencies = {}, peerDependencies = {} } = manifest
      expect(Object.keys({ ...dependencies, ...peerDependencies }).sort(), name).toEqual([...new Set(needed)].sort())
    }
  })

  it('are of one version each; of a package whose values our callers have in their hands, of one range everywhere', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const ranges = Object.assign({}, ...[...ours.values()].map(one => one.peerDependencies)) as Record<string, string>
    for (const { name, dependencies = {}, peerDependencies = {} } of ours.values()) {
      expect(ranges, name).toMatchObject(peerDependencies)
      for (const [one, version] of Object.entries(dependencies)) {
        if (one in ranges) expect(version, `${name}: ${one}`).toBe(ranges[one])
        else expect(version, `${name}: ${one}`).toMatch(/^\d+\.\d+\.\d+/)
      }
    }
    for (const one of Object.keys(ranges)) expect(devDependencies[one], one).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

/** What the product calls a service is what an agent runs all the time, and no bucket. */
const nouns = new Set(['define-service.ts', 'service.ts', 'services.ts', 'assign-services.ts', 'service-keeper.ts'])

describe('files', () => {
  it('are small, named for what they hold, and export what they say', () => {
    const wrong = all.flatMap(({ file, text, imports }) => [
      ...(text.split('\n').length > 400 && !file.endsWith('/migrations.ts') ? [`${file}: more than 400 lines`] : []),
      ...(/^export \*/m.test(text) && file !== 'packages/core/src/plugin.ts' ? [`${file}: exports everything`] : []),
      ...(/(^|-)(utils?|helpers?|common|lib|misc|managers?|services?)(-|\.)/.test(basename(file)) &&
      !nouns.has(basename(file))
        ? [`${file}: a bucket`]
        : []),
      ...(/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(basename(file)) ? [] : [`${file}: not in kebab-case`]),
      // The index is for others: from inside, a file is imported from where it is.
      ...imports.filter(name => /^(\.\/|(\.\.\/)+)index\.ts$/.test(name)).map(name => `${file}: imports ${name}`),
    ])
    expect(wrong).toEqual([])
  })

  it('of the engine and the language read no wall clock; the command is a host, and may', () => {
    const isCommand = (file: string) => /\/src\/cli[/.]/.test(file)
    for (const source of [...(sources.get('core') ?? []), ...(sources.get('tscript') ?? [])]) {
      if (isCommand(source.file)) continue
      expect(source.text, source.file).not.toMatch(/Date\.now\(\)|new Date\(\)/)
    }
  })
})
