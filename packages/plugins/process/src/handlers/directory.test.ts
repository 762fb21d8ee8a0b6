import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorkshop } from '../../test/workshop.ts'

let workshop: ReturnType<typeof createWorkshop>
beforeEach(() => {
  workshop = createWorkshop()
})
afterEach(() => workshop.close())

describe('prepare', () => {
  it('makes the directory and those above it, once', async () => {
    const web = workshop.foundation('web01', join(workshop.root, 'a/b/web01'))
    expect(await web.prepare()).toEqual({ created: true })
    expect(await web.prepare()).toEqual({ created: false })
    expect(readdirSync(web.directory)).toEqual(['.contractor'])
  })

  it('takes an empty directory, and goes on where an earlier attempt was cut off', async () => {
    const web = workshop.foundation('web01')
    mkdirSync(join(web.directory, '.contractor'), { recursive: true })
    expect(await web.prepare()).toEqual({ created: true })
  })

  it('done twice at once is done once', async () => {
    const web = workshop.foundation('web01')
    const made = await Promise.all([web.prepare(), web.prepare()])
    expect(made).toContainEqual({ created: true })
    expect(made).toContainEqual({ created: false })
  })

  it.each([
    ['another Foundation’s', "belongs to Foundation 'web01', not to 'web02'"],
    ['somebody’s own', 'is not empty and not ours'],
    ['a file', 'is a file and no directory'],
    ['marked by something else', 'is no marker of this driver'],
  ])('refuses a directory that is %s', async (what, message) => {
    const { directory, prepare } = workshop.foundation('web01')
    if (what === 'another Foundation’s') await prepare()
    if (what === 'somebody’s own') mkdirSync(join(directory, 'photos'), { recursive: true })
    if (what === 'a file') writeFileSync(directory, '')
    if (what === 'marked by something else') {
      mkdirSync(join(directory, '.contractor'), { recursive: true })
      writeFileSync(join(directory, '.contractor/owner.json'), '{}')
    }
    await expect(workshop.foundation('web02', directory).prepare()).rejects.toThrow(message)
  })
})

describe('write_file', () => {
  it('writes the file and the folders above it, and nothing when it is written already', async () => {
    const { prepare, writeFile, directory } = workshop.foundation('web01')
    await prepare()
    expect(await writeFile('site/pages/index.html', 'hällo\n')).toEqual({ changed: true })
    expect(await writeFile('site/pages/index.html', 'hällo\n')).toEqual({ changed: false })
    expect(await writeFile('site/pages/index.html', 'other')).toEqual({ changed: true })
    expect(readFileSync(join(directory, 'site/pages/index.html'), 'utf8')).toBe('other')
    expect(readdirSync(join(directory, 'site/pages'))).toEqual(['index.html'])
    expect(readdirSync(join(directory, '.contractor'))).toEqual(['owner.json'])
  })

  it.each(['../out', 'a/../../out', '/etc/out', '', 'a//b', 'a/', '.', './a', '.contractor/owner.json', 'a\0b'])(
    'refuses the path %j',
    async path => {
      const { prepare, writeFile } = workshop.foundation('web01')
      await prepare()
      await expect(writeFile(path, 'x')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    },
  )

  it('does not follow a symbolic link out of the directory, nor into what is the driver’s own', async () => {
    const { prepare, writeFile, directory } = workshop.foundation('web01')
    await prepare()
    const outside = join(workshop.root, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), 'kept')
    symlinkSync(outside, join(directory, 'out'))
    symlinkSync('.contractor', join(directory, 'own'))
    symlinkSync('nowhere', join(directory, 'dangling'))
    symlinkSync(join(outside, 'kept'), join(directory, 'file'))
    await expect(writeFile('out/x', 'x')).rejects.toThrow('leads out of')
    await expect(writeFile('out/new/x', 'x')).rejects.toThrow('leads out of')
    await expect(writeFile('own/owner.json', '{}')).rejects.toThrow('leads out of')
    await expect(writeFile('dangling/x', 'x')).rejects.toThrow('leads nowhere')
    await writeFile('file', 'a file now')
    expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('kept')
    expect(readdirSync(outside)).toEqual(['kept'])
  })

  it('follows one that stays inside', async () => {
    const { prepare, writeFile, directory } = workshop.foundation('web01')
    await prepare()
    mkdirSync(join(directory, 'releases'))
    symlinkSync('releases', join(directory, 'current'))
    await writeFile('current/index.html', 'x')
    expect(readdirSync(join(directory, 'releases'))).toEqual(['index.html'])
  })

  it('says what is in its way', async () => {
    const { prepare, writeFile, directory } = workshop.foundation('web01')
    await expect(writeFile('a', 'x')).rejects.toThrow('is not prepared')
    await prepare()
    mkdirSync(join(directory, 'folder'))
    writeFileSync(join(directory, 'file'), '')
    await expect(writeFile('folder', 'x')).rejects.toThrow("Cannot write 'folder': it is a directory")
    await expect(writeFile('file/x', 'x')).rejects.toThrow("'file' is a file, not a folder")
    await expect(workshop.foundation('web02', directory).writeFile('a', 'x')).rejects.toThrow('belongs to Foundation')
  })
})

describe('remove', () => {
  it('deletes the directory with all that is in it, once', async () => {
    const { prepare, writeFile, remove, directory } = workshop.foundation('web01')
    await prepare()
    await writeFile('a/b', 'x')
    expect(await remove()).toEqual({ removed: true })
    expect(existsSync(directory)).toBe(false)
    expect(await remove()).toEqual({ removed: false })
  })

  it('goes on where an earlier attempt was cut off', async () => {
    const { remove, directory } = workshop.foundation('web01')
    mkdirSync(join(directory, '.contractor'), { recursive: true })
    expect(await remove()).toEqual({ removed: true })
  })

  it('leaves a link’s target alone', async () => {
    const { prepare, remove, directory } = workshop.foundation('web01')
    await prepare()
    const outside = join(workshop.root, 'outside')
    mkdirSync(join(outside, 'kept'), { recursive: true })
    symlinkSync(outside, join(directory, 'out'))
    await remove()
    expect(readdirSync(outside)).toEqual(['kept'])
  })

  it('refuses what is not its own', async () => {
    const { prepare, directory } = workshop.foundation('web01')
    await prepare()
    await expect(workshop.foundation('web02', directory).remove()).rejects.toThrow('belongs to Foundation')
    const photos = workshop.foundation('photos')
    mkdirSync(join(photos.directory, 'summer'), { recursive: true })
    await expect(photos.remove()).rejects.toThrow('it is not ours to delete')
  })
})
