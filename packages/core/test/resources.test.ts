import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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

describe('a resource file', () => {
  it('of the T3kton format is loaded, names what it changed, and is loaded again without a change', async () => {
    const { contractor } = await openShop()
    const first = await contractor.resources.loadText(file, 'linux.toml')
    expect(first.changes).toEqual([
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
      { kind: 'structure', name: 'linux-base', change: 'changed' },
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

  it.each([
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
      "bad.toml:1: script.a b: Script 'a b' is not valid: name: must be letters",
    ],
    [
      'a parent that does not exist',
      '[structure.a]\nparents = ["nobody"]\n',
      { line: 1 },
      "BluePrint 'a' names the parent 'nobody'",
    ],
    [
      'a script that does not exist',
      '[structure.a]\nscripts = { create = "nothing" }\n',
      { line: 1 },
      "names the script 'nothing'",
    ],
    ['a circle of parents', '[structure.a]\nparents = ["b"]\n[structure.b]\nparents = ["a"]\n', {}, 'a → b → a'],
    [
      'a script that does not parse',
      '[script.ok]\nscript = ""\n[script.a]\nscript = """\nx = 1\nif x then then\n"""\n',
      { line: 3, key: 'script.a' },
      'a:2:',
    ],
  ])('with %s is refused with its place, and nothing of it is loaded', async (_, text, data, message) => {
    const { contractor } = await openShop()
    await expect(contractor.resources.loadText(text, 'bad.toml')).rejects.toMatchObject({
      code: 'RESOURCE_INVALID',
      data: { file: 'bad.toml', ...data },
      message: expect.stringContaining(message),
    })
    expect((await contractor.scripts.list()).items).toEqual([])
    expect((await contractor.blueprints.list()).items).toEqual([])
  })
})
