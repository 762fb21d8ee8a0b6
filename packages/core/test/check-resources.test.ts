import { join } from 'node:path'
import { checkResources, createContractor } from '@contractor/core'
import { defineFoundation, defineFunction } from '@contractor/plugin'
import { iputils } from '@contractor/plugin-iputils'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const folder = join(import.meta.dirname, 'resources-check')
const turn = defineFunction({
  args: z.object({ speed: z.number() }),
  state: z.object({}),
  result: z.null(),
  start: () => ({}),
  outcome: () => ({ kind: 'done', value: null }),
})
const lathe = defineFoundation({ type: 'Lathe', fields: z.object({}), functions: { turn } })
const crane = defineFoundation({ type: 'Crane', fields: z.object({}), functions: {} })

describe('a check of resource files', () => {
  it('says of each file what loads, and why one does not', async () => {
    const { files } = await checkResources(folder)
    expect(files).toEqual([
      {
        ...{ file: join(folder, 'colon.toml'), counts: { structure: 0, foundation: 0, script: 0, pxe: 0, sflinks: 0 } },
        error: expect.stringMatching(/colon\.toml:3:.*parted by '=', not by ':'/s),
      },
      { file: join(folder, 'machines.toml'), counts: { structure: 1, foundation: 3, script: 4, pxe: 1, sflinks: 2 } },
    ])
  })

  it('says what scripts use, for which types, and what none of these has', async () => {
    const { scripts } = await checkResources(folder, { plugins: [lathe, crane, iputils] })
    const found = Object.fromEntries(scripts.map(({ name, file: _, ...rest }) => [name, rest]))
    expect(found).toEqual({
      'lathe-create': {
        types: ['Lathe', 'Mill'],
        uses: ['dhcp.set_pxe', 'foundation.provisioning_interface', 'foundation.turn'],
        ...{ errors: [], notes: [] },
      },
      'lathe-destroy': {
        types: ['Lathe'],
        uses: ['foundation.fly', 'nowhere.do'],
        errors: [expect.stringMatching(/lathe-destroy.*fly/s), expect.stringMatching(/nowhere/)],
        notes: [],
      },
      'web-create': {
        types: ['Crane', 'Lathe'],
        uses: ['config.deep', 'foundation.turn', 'foundation.type', 'iputils.wait_for_port', 'structure.primary_ip'],
        errors: [],
        notes: [expect.stringMatching(/^on Crane: .*turn/s)],
      },
      broken: { types: [], uses: [], errors: [expect.stringContaining('broken'), expect.any(String)], notes: [] },
    })
  })

  it('says what is named and is nowhere, with its place', async () => {
    const { missing } = await checkResources([folder], { plugins: [lathe, iputils] })
    const places = missing.map(line => line.replace(`${folder}/`, ''))
    expect(places).toEqual([
      "machines.toml:13: structure.web.parents: there is no structure BluePrint 'no-such-parent' to be its parent",
      "machines.toml:6: foundation.lathe-base.scripts: there is no script 'no-such-script'",
      "machines.toml:2: sflinks: there is no foundation BluePrint 'nowhere-base'",
      "machines.toml:24: script.lathe-create: there is no PXE 'no-such-pxe'",
      "no plugin that is loaded has the Foundation type 'Mill', of mill-base",
      "no plugin that is loaded has the Foundation type 'Crane', of crane-base",
    ])
  })

  it('agrees with what is loaded, and refuses a path that there is not', async () => {
    const contractor = await createContractor({ database: 'memory:', plugins: [lathe] })
    await expect(contractor.resources.load(join(folder, 'colon.toml'))).rejects.toThrow("parted by '=', not by ':'")
    await contractor.resources.loadText('[pxe.a]\ndescription = "x"\nboot_script = "exit"\ntemplate = ""\n', 'a.toml')
    await contractor.close()
    await expect(checkResources('/nowhere')).rejects.toMatchObject({ code: 'RESOURCE_INVALID' })
  })
})
