import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import { newPlugin } from '../src/command/new-plugin.ts'

async function write(name: string) {
  const directory = join(await temporaryFolder(), 'plugin')
  let said = ''
  await newPlugin(name, { directory }, text => {
    said += text
  })
  const read = (file: string) => readFile(join(directory, file), 'utf8')
  return { directory, read, said, files: await readdir(directory, { recursive: true }) }
}

describe('contractor plugin new', () => {
  it('writes a plugin under its own names, everywhere', async () => {
    const { files, read, said } = await write('@acme/light-bulb')
    expect(files).toEqual(
      expect.arrayContaining(['.gitignore', 'package.json', join('src', 'light-bulb.ts'), 'demo.ts']),
    )
    expect(JSON.parse(await read('package.json'))).toMatchObject({ name: '@acme/light-bulb' })
    expect(await read('src/index.ts')).toBe("export { lightBulb } from './light-bulb.js'\n")
    expect(await read('src/light-bulb.ts')).toContain(
      "export const lightBulb = defineFoundation({\n  type: 'LightBulb',",
    )
    expect(await read('resources.toml')).toContain('[foundation.light-bulb-base]')
    for (const file of files.filter(name => /\.\w+$/.test(name))) expect(await read(file), file).not.toMatch(/lamp/i)
    expect(said).toContain('a plugin with the Foundation type LightBulb')
  })

  it.each([
    ['lamp', 'contractor-plugin-lamp'],
    ['contractor-plugin-lamp', 'contractor-plugin-lamp'],
    ['@acme/lamp', '@acme/lamp'],
  ])('calls the package of %s %s', async (name, expected) => {
    expect(JSON.parse(await (await write(name)).read('package.json')).name).toBe(expected)
  })

  it.each(['Lamp', '1lamp', 'a_b', '../lamp', 'lamp-', `l${'a'.repeat(40)}`])('refuses the name %s', async name => {
    await expect(write(name)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('leaves a folder alone that has something in it', async () => {
    const { directory } = await write('lamp')
    await expect(newPlugin('lamp', { directory }, () => {})).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })
})
