import { execFile } from 'node:child_process'
import { createTestContractor } from '@contractor/core/testing'
import { createServer, listen } from '@contractor/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { commandLine } from '../../../test/built.ts'
import { lathe } from '../../core/test/lathe.ts'

async function openServer() {
  const contractor = await createTestContractor({ plugins: [lathe], foreman: false })
  onTestFinished(() => contractor.close())
  const listening = await listen(createServer(contractor), { host: '127.0.0.1', port: 0 })
  onTestFinished(() => listening.close())
  const { secret } = await contractor.tokens.create({ kind: 'admin', name: 'ann' })
  /** Runs `contractor` with these arguments, and what is given on standard input. */
  const run = (args: string[], input = '', token = secret) =>
    new Promise<{ code: number; out: string; err: string }>(resolve => {
      const environment = { PATH: process.env.PATH, CONTRACTOR_URL: listening.url, CONTRACTOR_TOKEN: token }
      const child = execFile(
        process.execPath,
        [...commandLine('server'), ...args],
        { env: environment },
        (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
      )
      child.stdin?.end(input)
    })
  return { contractor, run }
}

/** Each starts a dozen processes, one after the other. */
describe('a command of a noun', { timeout: 120_000 }, () => {
  it('makes, shows, lists, changes and deletes, by the API of a server', async () => {
    const { run, contractor } = await openServer()
    const made = await run(['sites', 'create', '--name', 'lab', '--config-values', '{"motto":"measure twice"}'])
    expect(made).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^name: lab\nparent:\n/) })
    expect(await run(['sites', 'config', 'lab', '--json'])).toMatchObject({
      out: expect.stringContaining('"motto": "measure twice"'),
    })
    await run(['sites', 'create', '--from', '-', '--name', 'hall'], '{"parent":"lab","description":"of machines"}')
    const { out } = await run(['sites', 'list'])
    expect(out.split('\n')[0]).toMatch(/^name +parent +zone +description/)
    expect(out).toMatch(/^hall +lab +of machines/m)
    const page = await run(['sites', 'list', '--limit', '1'])
    expect(page).toMatchObject({ code: 0, err: "There are more: --after 'hall', or --all\n" })
    expect((await run(['sites', 'list', '--limit', '1', '--all'])).out).toMatch(/^lab/m)
    await run(['sites', 'update', 'hall', '--parent', 'null', '--if-version', '1'])
    expect(await contractor.sites.get('hall')).toMatchObject({ parent: null, version: 2 })
    expect(await run(['sites', 'update', 'hall', '--description', 'x', '--if-version', '1'])).toMatchObject({
      ...{
        code: 1,
        out: '',
        err: expect.stringContaining("Site 'hall' was changed by somebody else: it is at version 2"),
      },
    })
    expect(await run(['sites', 'delete', 'hall'])).toEqual({ code: 0, out: '', err: '' })
  })

  it('saves what is named by its argument, orders Jobs, and says of verbs what they did', async () => {
    const { run, contractor } = await openServer()
    await run(['sites', 'create', '--name', 'lab'])
    expect((await run(['scripts', 'put', 'build', '--source', 'foundation.weld()'])).out).toContain('change: created')
    await run(['blueprints', 'put', 'base', '--kind', 'foundation', '--scripts', '{"create":"build"}'])
    const foundation = [
      '--locator',
      'f1',
      '--type',
      'Lathe',
      '--site',
      'lab',
      '--blueprint',
      'base',
      '--fields',
      '{"serial":"s"}',
    ]
    expect(await run(['foundations', 'create', ...foundation])).toMatchObject({ code: 0 })
    await run(['foundations', 'set-located', 'f1'])
    const ordered = JSON.parse((await run(['foundations', 'do-create', 'f1', '--json'])).out) as { id: number }
    expect((await run(['jobs', 'set-message', String(ordered.id), '--message', 'on its way'])).out).toContain(
      'on its way',
    )
    expect((await run(['jobs', 'cancel', String(ordered.id)])).out).toContain('outcome: cancelled')
    expect(await contractor.foundations.get('f1')).toMatchObject({ state: 'located' })
  })

  it('says what is wrong in a line, and what is missing', async () => {
    const { run } = await openServer()
    for (const [args, message] of [
      [['sites', 'get', 'none'], "contractor: Site 'none' does not exist\n"],
      [['structures', 'get', 'x'], 'The request is not valid: id:'],
      [['sites', 'create'], 'name:'],
      [['sites', 'create', '--name', 'a', '--config-values', '{'], "--config-values must be JSON, not '{'"],
      [['structures', 'list', '--state', 'bult'], 'Allowed choices are planned, built'],
      [['sites', 'create', '--nam', 'a'], '(Did you mean --name?)'],
      [['sites', 'creat'], '(Did you mean create?)'],
    ] as const)
      expect(await run([...args]), args.join(' ')).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining(message),
      })
    expect(await run(['sites', 'list'], '', '')).toMatchObject({
      code: 1,
      err: expect.stringContaining('CONTRACTOR_TOKEN'),
    })
    expect(await run(['sites', 'list'], '', 'wrong')).toMatchObject({
      code: 1,
      err: expect.stringContaining('bearer token'),
    })
  })
})
