import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createSubContractor } from '../src/create-subcontractor.ts'
import { loadHandlers } from '../src/load-handlers.ts'
import { createLineLog } from '../src/log.ts'
import { readToken } from '../src/read-token.ts'
import { createPluginFolder } from './installed-plugins.ts'

const folder = createPluginFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a module', () => {
  it('is found from the caller’s folder', async () => {
    expect((await loadHandlers('tools-plugin', folder)).handlers).toMatchObject([{ module: 'tools' }])
  })

  it('is found beside the agent when the caller’s folder does not have it', async () => {
    expect((await loadHandlers('@contractor/plugin-iputils', folder)).handlers).toMatchObject([{ module: 'iputils' }])
  })

  it.each([
    ['that is not installed', 'nope', /^Module 'nope' is not installed, neither in .* run 'npm install nope' there$/],
    ['without handlers', 'engine-plugin', /^Package 'engine-plugin' has no entry '\.\/handlers'/],
    [
      'that exports something else',
      'no-plugin',
      /^Module 'no-plugin' is no plugin with handlers: .* exports nothing made by defineHandlers/,
    ],
    ['that throws', 'broken-plugin', /^Module 'broken-plugin' cannot be loaded from .*: no such luck$/],
  ])('%s is refused with its name and the remedy', async (_, name, message) => {
    await expect(loadHandlers(name, folder)).rejects.toMatchObject({
      code: 'PLUGIN_INVALID',
      message: expect.stringMatching(message),
    })
  })
})

describe('the token', () => {
  const file = join(folder, 'token')

  it('is read from the file, or else from the environment, where it does not stay', () => {
    writeFileSync(file, 'from-file\n')
    const environment = { CONTRACTOR_TOKEN: 'from-environment ', PATH: '/bin' }
    expect(readToken(file, { ...environment })).toBe('from-file')
    expect(readToken(undefined, environment)).toBe('from-environment')
    expect(environment).toEqual({ PATH: '/bin' })
  })

  it.each([
    ['missing', undefined, 'No token: set the environment variable CONTRACTOR_TOKEN'],
    ['in a file that is not there', join(folder, 'none'), 'Cannot read the token file'],
    ['in an empty file', join(folder, 'empty'), 'is empty'],
    ['in a file of something else', join(folder, 'node_modules/tools-plugin/handlers.js'), 'is it the right file?'],
  ])('%s is refused', (_, path, message) => {
    writeFileSync(join(folder, 'empty'), '\n')
    expect(() => readToken(path, {})).toThrow(message)
  })
})

describe('an agent', () => {
  const module = (name: string) => ({ module: name, functions: [], run: async () => null })
  const create = (names: string[], concurrency: Record<string, number>) => () =>
    createSubContractor({ server: 'http://x', token: 't', name: 'n', handlers: names.map(module), concurrency })

  it.each([
    ['two plugins of one module', create(['a', 'a'], {}), "Two plugins have handlers of module 'a'"],
    [
      'a limit for a module it does not have',
      create(['a', 'b'], { c: 1 }),
      "module 'c', which this agent does not have; it has a, b",
    ],
    ['a limit of nothing', create(['a'], { a: 0 }), "of module 'a' must be a whole number from 1 to 1000, and is 0"],
  ])('with %s is refused', (_, creation, message) => {
    expect(creation).toThrow(message)
  })
})

describe('the name of an agent', () => {
  it.each(['', 'x'.repeat(101), 'nul\0'])('that the server would not take is refused: %j', name => {
    const create = () => createSubContractor({ server: 'http://x', token: 't', name, handlers: [] })
    expect(create).toThrow("The agent's name is not valid")
  })
})

describe('a log record', () => {
  it('is one line of time, level, message and fields, without the token', () => {
    const lines: string[] = []
    const log = createLineLog(line => lines.push(line), { secret: 'hush', time: () => new Date(0) })
    log('warn', 'task failed', { task: 7, error: 'two\nlines of "hush"', reason: undefined, ids: [1, 2] })
    expect(lines).toEqual([
      '1970-01-01T00:00:00.000Z warn task failed task=7 error="two\\nlines of \\"***\\"" ids=[1,2]\n',
    ])
  })
})
