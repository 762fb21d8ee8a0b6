import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '@contractor/core'
import type { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

/** In the T3kton format, with all that it has. */
const file = `
sflinks = [
  [ 'esx-base', 'lathe-base' ],
  [ 'esx-base', 'ipmi-base' ]
]

[ structure.linux-base ]
  description = 'Base Linux'
  scripts = { 'create' = 'linux-create', 'destroy' = 'linux-destroy' }
[ structure.linux-base.config_values ]
  swap_size = 512
  'vcenter_guest_id:VCenter' = 'ubuntu64Guest'
  '<commands' = [ 'first' ]

[ structure.esx-base ]
  parents = [ 'linux-base' ]

[ foundation.lathe-base ]
  foundation_types = [ 'Lathe' ]
  physical_interface_names = [ 'eth0' ]

[ script.linux-create ]
  description = 'Install Linux'
  script = """# pxe boot and install
dhcp.set_pxe( interface=structure.provisioning_interface, pxe='esx' )
foundation.power_on()
iputils.wait_for_port( target=structure.primary_ip, port=80 )
"""

[ script.linux-destroy ]
  script = "foundation.power_off()"

[ pxe.normal-boot ]
  boot_script = "sanboot"
  template = '# Normal Boot'
`

const mistakes: [string, string, object, string][] = [
  ['a syntax error', '[script.a]\nscript = "x\n', { line: 2 }, 'bad.toml:2:'],
  [
    'an unknown key',
    '[structure.web]\nparent = []\n',
    { line: 2, key: 'structure.web.parent' },
    "bad.toml:2: structure.web.parent: unknown key 'parent'",
  ],
  [
    'an unknown table',
    '[structur.web]\n',
    { line: 1, key: 'structur' },
    "bad.toml:1: structur: unknown key 'structur'; known are structure, foundation, script",
  ],
  ['a wrong type', '\n[script.a]\nscript = 5\n', { line: 3, key: 'script.a.script' }, 'bad.toml:3: script.a.script:'],
  [
    'a name that is not allowed',
    '[script."a b"]\nscript = ""\n',
    { line: 1 },
    'bad.toml:1: script.a b: must be letters',
  ],
  [
    'a parent that does not exist',
    '[structure.a]\nparents = ["nobody"]\n',
    { line: 2, key: 'structure.a.parents' },
    "BluePrint 'a' names the parent 'nobody'",
  ],
  [
    'a script that does not exist',
    '[structure.a]\nscripts = { create = "nothing" }\n',
    { line: 2, key: 'structure.a.scripts' },
    "names the script 'nothing'",
  ],
  [
    'a circle of parents',
    '[structure.a]\nparents = ["b"]\n[structure.b]\nparents = ["a"]\n',
    { line: 2, key: 'structure.a.parents' },
    'a → b → a',
  ],
  [
    'a parent of the other kind',
    '[foundation.a]\n[structure.b]\nparents = ["a"]\n',
    { line: 3 },
    "there is no BluePrint for a structure of that name; 'a' is one for a foundation",
  ],
  [
    'a name that stands for two BluePrints',
    '[foundation.a]\n[structure.a]\n',
    { line: 2, key: 'structure.a' },
    "'a' is in this file already; keep one of them",
  ],
  [
    'a link of a BluePrint that does not exist',
    "sflinks = [\n  ['web', 'rack'],\n  ['nobody', 'rack'],\n]\n[structure.web]\n",
    { line: 3, key: 'sflinks' },
    "There is no StructureBluePrint 'nobody'",
  ],
  [
    'a config value that is no JSON',
    '[structure.a.config_values]\nborn = 1979-05-27\n',
    { line: 2, key: 'structure.a.config_values.born' },
    'it is no plain JSON',
  ],
  [
    'a name of a config value that is not allowed',
    '[structure.a.config_values]\n_site = 1\n',
    { line: 2, key: 'structure.a.config_values._site' },
    'must be letters',
  ],
  [
    'a script that does not parse',
    '[script.ok]\nscript = ""\n[script.a]\nscript = """\nx = 1\nif x then then\n"""\n',
    { line: 3, key: 'script.a' },
    'a:2:',
  ],
]

describe('a resource file', () => {
  it('of the T3kton format is loaded, names what it changed, and is loaded again without a change', async () => {
    const { contractor } = await openShop()
    const first = await contractor.resources.loadText(file, 'linux.toml')
    expect(first.changes.map(({ kind, name, change }) => ({ kind, name, change }))).toEqual([
      { kind: 'script', name: 'linux-create', change: 'created' },
      { kind: 'script', name: 'linux-destroy', change: 'created' },
      { kind: 'pxe', name: 'normal-boot', change: 'created' },
      { kind: 'foundation', name: 'lathe-base', change: 'created' },
      { kind: 'structure', name: 'linux-base', change: 'created' },
      { kind: 'structure', name: 'esx-base', change: 'created' },
    ])
    expect(first.warnings).toEqual(["linux.toml: linux-create: no plugin that is loaded provides the module 'iputils'"])
    expect(await contractor.blueprints.get('esx-base')).toMatchObject({
      parents: ['linux-base'],
      foundationBlueprints: ['ipmi-base', 'lathe-base'],
    })

    const second = await contractor.resources.loadText(file, 'linux.toml')
    expect(new Set(second.changes.map(one => one.change))).toEqual(new Set(['unchanged']))
    const third = await contractor.resources.loadText(file.replace('512', '1024'), 'linux.toml')
    expect(third.changes.filter(one => one.change !== 'unchanged')).toEqual([
      {
        ...{ kind: 'structure', name: 'linux-base', file: 'linux.toml', change: 'changed' },
        fields: [{ field: 'config_values.swap_size', before: 512, after: 1024 }],
      },
    ])
  })

  it('is found by its path, and says so when it is not', async () => {
    const { contractor } = await openShop()
    const folder = await mkdtemp(join(tmpdir(), 'contractor-resources-'))
    await writeFile(join(folder, 'a.toml'), '[script.a]\nscript = ""\n')
    expect((await contractor.resources.load(join(folder, 'a.toml'))).changes).toHaveLength(1)
    await rm(folder, { recursive: true })
    await expect(contractor.resources.load(join(folder, 'a.toml'))).rejects.toMatchObject({
      code: 'RESOURCE_INVALID',
      message: expect.stringContaining('cannot be read: ENOENT'),
    })
  })

  it('with a mistake is refused with the place of it, and nothing of it is loaded', async () => {
    const { contractor } = await openShop()
    for (const [what, text, data, message] of mistakes) {
      await expect(contractor.resources.loadText(text, 'bad.toml'), what).rejects.toMatchObject({
        code: 'RESOURCE_INVALID',
        data: { file: 'bad.toml', ...data },
        message: expect.stringContaining(message),
      })
      expect((await contractor.scripts.list()).items, what).toEqual([])
      expect((await contractor.blueprints.list()).items, what).toEqual([])
    }
  })

  it('tells every mistake of its form at once', async () => {
    const { contractor } = await openShop()
    const text = '[structure.a]\nparent = 1\nparents = [5]\n[pxe.b]\n'
    const refused = await contractor.resources.loadText(text, 'bad.toml').catch(error => String(error.message))
    expect(String(refused).split('\n').sort()).toEqual([
      expect.stringContaining('bad.toml:2: structure.a.parent: unknown key'),
      expect.stringContaining('bad.toml:3: structure.a.parents.0: '),
      expect.stringContaining('bad.toml:4: pxe.b.boot_script: '),
    ])
  })

  it('may write prefixes and classes without quotes, and text that looks like that is left alone', async () => {
    const { contractor } = await openShop()
    const text = [
      '[structure.a.config_values]',
      '>list:Metal = [1] # >not = "this"',
      '  <list = [0]',
      'one:Metal = """',
      '>keep = 1 \\"""',
      'key:Class = 2"""',
      "two = '''",
      "~gone = 1'''",
    ].join('\n')
    await contractor.resources.loadText(text, 'a.toml')
    expect((await contractor.blueprints.get('a')).configValues).toEqual({
      ...{
        '>list:Metal': [1],
        '<list': [0],
        'one:Metal': '>keep = 1 """\nkey:Class = 2',
        two: '~gone = 1',
      },
    })
    const twice = `${text}\n>list:Metal = "twice"`
    await expect(contractor.resources.loadText(twice, 'a.toml')).rejects.toMatchObject({ data: { line: 9 } })
  })

  it('owns what it says: what is taken out of it goes, and links that other files made stay', async () => {
    const { contractor } = await openShop()
    const load = (text: string, file = 'web.toml') => contractor.resources.loadText(text, file)
    const links = async () => (await contractor.blueprints.get('web')).foundationBlueprints
    await load('sflinks = [["web", "rack"]]\n[structure.web]\nfoundation_blueprints = ["shelf"]\n')
    const other = 'sflinks = [["web", "box"], ["web", "rack"]]'
    expect((await load(other, 'other.toml')).changes).toMatchObject([
      { kind: 'sflink', name: 'web → box', change: 'created' },
      { kind: 'sflink', name: 'web → rack', change: 'unchanged' },
    ])
    expect(await links()).toEqual(['box', 'rack', 'shelf'])
    const again = await load('[structure.web]\ndescription = "bare"\n')
    expect(again.changes).toMatchObject([
      {
        change: 'changed',
        fields: [
          { field: 'description', after: 'bare' },
          { field: 'foundation_blueprints', before: ['box', 'rack', 'shelf'], after: ['box', 'rack'] },
        ],
      },
    ])
    expect((await load(other, 'other.toml')).changes).toMatchObject([{ change: 'unchanged' }, { change: 'unchanged' }])
    expect((await load('[structure.web]\ndescription = "bare"\n')).changes).toMatchObject([{ change: 'unchanged' }])
    // Saved by a program, it is what that says.
    await contractor.blueprints.put({ kind: 'structure', name: 'web' })
    expect(await links()).toEqual([])
  })
})

describe('several resource files', () => {
  const parts = {
    'a.toml': 'sflinks = [["heir", "base"]]\n[foundation.base]\nscripts = { create = "make" }\n',
    'b.toml': '[structure.heir]\nparents = ["elder"]\n',
    'c.toml': '[structure.elder]\n[script.make]\nscript = ""\n',
  }

  async function inFolder<T>(files: Record<string, string>, run: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'contractor-resources-'))
    try {
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
      return await run(folder)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it.each(databaseKinds)('need each other in any order, and are loaded all or none: $kind', async kind => {
    const { contractor } = await openShop(kind)
    await inFolder({ ...parts, 'notes.txt': 'not read' }, async folder => {
      const paths = Object.keys(parts).map(name => join(folder, name))
      await expect(contractor.resources.load(paths.slice(0, 2))).rejects.toMatchObject({
        code: 'RESOURCE_INVALID',
        data: { file: paths[0], line: 3, key: 'foundation.base.scripts' },
      })
      expect((await contractor.blueprints.list()).items).toEqual([])
      const { changes } = await contractor.resources.load(folder)
      expect(changes.map(({ name, file }) => [name, file])).toEqual([
        ['make', paths[2]],
        ['base', paths[0]],
        ['heir', paths[1]],
        ['elder', paths[2]],
        ['heir → base', paths[0]],
      ])
      expect(await contractor.blueprints.get('heir')).toMatchObject({
        ...{ parents: ['elder'], foundationBlueprints: ['base'] },
      })
      const again = await contractor.resources.load(paths.reverse())
      expect(new Set(again.changes.map(one => one.change))).toEqual(new Set(['unchanged']))
    })
  })

  it('may not say one thing twice; and a folder has some', async () => {
    const { contractor } = await openShop()
    await inFolder({ 'a.toml': '[structure.web]\n', 'b.toml': '\n[foundation.web]\n' }, async folder => {
      const refused = await contractor.resources.load(folder).catch(error => String(error.message))
      const [a, b] = [join(folder, 'a.toml'), join(folder, 'b.toml')]
      expect(refused).toBe(`${b}:2: foundation.web: 'web' is in ${a} already; keep one of them`)
    })
    await inFolder({}, async folder => {
      await expect(contractor.resources.load(folder)).rejects.toThrow(`${folder} has no resource files`)
    })
  })
})

describe('a dry run', () => {
  const before = `[script.make]
script = """
one = 1
two = 2
three = 3
"""
[structure.web]
scripts = { create = "make" }
[structure.web.config_values]
size = 1
colour = "red"
`
  const after = before
    .replace('two = 2', 'two = 22')
    .replace('size = 1', 'size = { x = 2 }\nweight = 5')
    .replace('colour = "red"\n', '')

  it.each(databaseKinds)('says field by field what would change, and changes nothing: $kind', async kind => {
    const { contractor } = await openShop(kind)
    await contractor.resources.loadText(before, 'web.toml')
    const saved = await contractor.blueprints.get('web')
    const cursor = await contractor.events.cursor()
    const dry = await contractor.resources.loadText(after, 'web.toml', { dryRun: true })
    expect(dry.changes).toEqual([
      {
        ...{ kind: 'script', name: 'make', file: 'web.toml', change: 'changed' },
        fields: [
          {
            field: 'script',
            diff: '--- script\n+++ script\n@@ -1,3 +1,3 @@\n one = 1\n-two = 2\n+two = 22\n three = 3\n',
          },
        ],
      },
      {
        ...{ kind: 'structure', name: 'web', file: 'web.toml', change: 'changed' },
        fields: [
          { field: 'config_values.colour', before: 'red' },
          { field: 'config_values.size', before: 1, after: { x: 2 } },
          { field: 'config_values.weight', after: 5 },
        ],
      },
    ])
    expect(await contractor.blueprints.get('web')).toEqual(saved)
    expect((await contractor.scripts.get('make')).source).toContain('two = 2\n')
    expect(await contractor.events.list({ after: cursor })).toEqual([])
    expect((await contractor.resources.loadText(after, 'web.toml')).changes).toEqual(dry.changes)
    const keys = (await contractor.configChanges.list({ blueprint: 'web' })).items.map(one => one.key)
    expect(keys.sort()).toEqual(['colour', 'colour', 'size', 'size', 'weight'])
  })

  it.each(databaseKinds)('and a refused load leave a transaction of the caller as it was: $kind', async kind => {
    const { contractor, database } = await openShop(kind)
    const { option } = database
    const client = typeof option === 'string' ? postgres(option, { max: 1, onnotice: () => undefined }) : undefined
    const db: Db = client ? drizzlePostgres(client) : drizzlePglite(option as PGlite)
    await db.transaction(async tx => {
      await contractor.resources.loadText(before, 'web.toml', { tx })
      const dry = await contractor.resources.loadText(after, 'web.toml', { tx, dryRun: true })
      expect(dry.changes.map(one => one.change)).toEqual(['changed', 'changed'])
      const broken = `${after}\n[structure.heir]\nparents = ["nobody"]\n`
      await expect(contractor.resources.loadText(broken, 'web.toml', { tx })).rejects.toMatchObject({
        data: { key: 'structure.heir.parents' },
      })
    })
    await client?.end()
    expect((await contractor.blueprints.get('web')).configValues).toEqual({ size: 1, colour: 'red' })
    expect((await contractor.scripts.get('make')).source).toContain('two = 2\n')
  })
})
