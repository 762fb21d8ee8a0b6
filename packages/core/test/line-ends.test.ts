import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

const file = `[structure.dos]
  [structure.dos.config_values]
    motd = """
one
two"""

[script.hello]
  script = """
delay( seconds=1 )
# done
"""

[pxe.boot]
  boot_script = """#!ipxe
chain x
"""
  template = '''#!/bin/sh
reboot
'''
`

describe('a text with CR LF or CR', () => {
  it.each([
    ['CR LF', '\r\n'],
    ['CR LF in some lines', '\n'],
  ])('in a resource file (%s) is kept with LF alone', async (name, lineEnd) => {
    const { contractor } = await openShop()
    const text = name === 'CR LF' ? file.replaceAll('\n', lineEnd) : file.replace('#!/bin/sh\n', '#!/bin/sh\r\n')
    await contractor.resources.loadText(text, 'dos.toml')
    expect(await contractor.pxes.get('boot')).toMatchObject({
      ...{ bootScript: '#!ipxe\nchain x\n', template: '#!/bin/sh\nreboot\n' },
    })
    expect((await contractor.scripts.get('hello')).source).toBe('delay( seconds=1 )\n# done\n')
    expect((await contractor.blueprints.get('dos')).configValues).toEqual({ motd: 'one\ntwo' })
    // The same file with LF is no change.
    const { changes } = await contractor.resources.loadText(file, 'unix.toml')
    expect(changes.filter(one => one.change !== 'unchanged')).toEqual([])
  })

  it('given by a program is kept with LF alone, within lists and maps too', async () => {
    const { contractor } = await openShop()
    await contractor.pxes.put({ name: 'boot', bootScript: 'a\rb\r\nc', template: '\r\n\r\r' })
    expect(await contractor.pxes.get('boot')).toMatchObject({ bootScript: 'a\nb\nc', template: '\n\n\n' })
    const values = { motd: 'a\r\nb', list: ['x\ry', 7, null], map: { deep: { text: '\r' } } }
    const site = await contractor.sites.create({ name: 'dos', configValues: values })
    expect(site.configValues).toEqual({ motd: 'a\nb', list: ['x\ny', 7, null], map: { deep: { text: '\n' } } })
    await site.update({ configValues: { motd: 'c\r\n', list: null, map: null } })
    expect((await contractor.sites.get('dos')).configValues).toEqual({ motd: 'c\n' })
  })
})
