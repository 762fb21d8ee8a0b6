import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../src/cli/command.ts'
import { readCases } from './case-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tscript-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function tscript(words: string[], input = '') {
  let out = ''
  let err = ''
  const code = await runCommand(words, {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    input: Readable.from([input]),
    now: () => performance.now() / 1000,
  })
  return { code, out, err }
}

describe('tscript check', () => {
  test('a program without findings says nothing', async () => {
    expect(await tscript(['check', file('fine', 'a = 1\n')])).toEqual({ code: 0, out: '', err: '' })
  })
  test('warnings are shown and fine', async () => {
    const { code, out } = await tscript(['check', file('warned', ':a\n')])
    expect([code, out]).toEqual([0, expect.stringContaining('warning: The label `a` is never used')])
  })
  test('errors of every file, and a file that is not there', async () => {
    const { code, out, err } = await tscript([
      'check',
      file('one', 'a = (\n'),
      join(folder, 'none'),
      file('two', 'b = ]\n'),
    ])
    expect(code).toBe(1)
    expect(out).toContain(`${join(folder, 'one')}:1:5: error:`)
    expect(out).toContain(`${join(folder, 'two')}:1:5: error:`)
    expect(err).toBe(`tscript: ${join(folder, 'none')}: there is no such file\n`)
  })
  test('--json gives an object a line', async () => {
    const { out } = await tscript(['check', '--json', '-'], 'a = (\n:b\n')
    expect(
      out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      {
        file: '-',
        severity: 'error',
        code: 'bracket',
        message: 'The `(` that opens here is never closed',
        line: 1,
        column: 5,
        text: 'a = (',
        suggestion: 'Expected `)`',
      },
    ])
  })
  test('a directory is no file', async () => {
    expect(await tscript(['check', folder])).toMatchObject({
      code: 1,
      err: expect.stringContaining('it is a directory'),
    })
  })
})

describe('tscript run', () => {
  test('shows messages and what the variables are at the end', async () => {
    const script = "a = [ 1, 'x' ]\nmessage( msg='Working' )\ndelay( seconds=0.01 )\nb = ( 1:30 * 2 )\n"
    expect(await tscript(['run', file('run', script)])).toEqual({
      code: 0,
      out: "Working\na = [ 1, 'x' ]\nb = 3:00\n",
      err: '',
    })
  })
  test('a pause and an error end it', async () => {
    expect(await tscript(['run', '-'], "pause( msg='Stop' )\n")).toMatchObject({
      code: 1,
      err: "-:1:1: error: paused: Stop\n  pause( msg='Stop' )\n  ^\n",
    })
    expect(await tscript(['run', '-'], 'a = ( 1 / 0 )\n')).toMatchObject({
      code: 1,
      err: '-:1:9: error: aborted: Division by zero\n  a = ( 1 / 0 )\n          ^\n',
    })
    expect(await tscript(['run', '-'], 'a = (\n')).toMatchObject({
      code: 1,
      err: expect.stringContaining('never closed'),
    })
  })
  test('--trace shows the lines as they come', async () => {
    const { err } = await tscript(['run', '--trace', '-'], 'ii = 0\nwhile ( ii < 2 ) do\n  ii = ( ii + 1 )\nb = 1\n')
    expect(
      err
        .split('\n')
        .map(line => Number(line.slice(0, 5)))
        .filter(Boolean),
    ).toEqual([1, 2, 3, 2, 3, 2, 4])
  })
})

describe('tscript fmt', () => {
  test('formats in place, tells with --check, and leaves what is wrong alone', async () => {
    const path = file('ugly', 'a=1\n')
    expect(await tscript(['fmt', '--check', path])).toEqual({ code: 1, out: `${path}\n`, err: '' })
    expect(await tscript(['fmt', path])).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(path, 'utf8')).toBe('a = 1\n')
    expect(await tscript(['fmt', '--check', path])).toEqual({ code: 0, out: '', err: '' })
    const wrong = file('wrong', 'a=(\n')
    expect(await tscript(['fmt', wrong])).toMatchObject({ code: 1, err: expect.stringContaining('never closed') })
    expect(readFileSync(wrong, 'utf8')).toBe('a=(\n')
    expect(await tscript(['fmt', '-'], 'a=1')).toMatchObject({ code: 0, out: 'a = 1\n' })
  })
})

describe('tscript conformance', () => {
  test('answers every case with a line that agrees', async () => {
    const cases = readCases('cases.jsonl')
    const { code, out } = await tscript(['conformance'], `${cases.map(one => JSON.stringify(one)).join('\n')}\n`)
    const answers = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(code).toBe(0)
    expect(answers.map(answer => answer.id)).toEqual(cases.map(one => one.id))
    answers.forEach((answer, at) => {
      expect([cases[at]?.expect.outcome].flat(), answer.id).toContain(answer.outcome)
    })
  })
  test('a line that is no case is answered, and the next ones too', async () => {
    const { code, out } = await tscript(
      ['conformance'],
      '{ broken\n\n5\nnull\n{"id":"a"}\n{"id":"b","script":"a = 1","resume":-1}\n{"id":"c","script":"a = \'x\u2028y\'"}',
    )
    const answers = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(code).toBe(1)
    expect(answers.map(answer => [answer.id, answer.outcome, answer.line])).toEqual([
      [null, 'invalid', 1],
      [null, 'invalid', 3],
      [null, 'invalid', 4],
      ['a', 'invalid', 5],
      ['b', 'invalid', 6],
      ['c', 'done', undefined],
    ])
  })
})

describe('wrong usage', () => {
  test.each([
    [[]],
    [['fly']],
    [['check']],
    [['run', 'a', 'b']],
    [['fmt', '--hard', 'a']],
    [['conformance', 'a']],
    [['check', '--trace', 'a']],
  ])('%j', async words => {
    const { code, err, out } = await tscript(words)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(/^tscript: .+\n\ntscript: check, run and format/)
    expect(err).not.toMatch(/\bat .*:\d+:\d+/)
  })
  test('--help is not', async () => {
    expect(await tscript(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('tscript conformance') })
    expect(await tscript(['run', '--help'])).toMatchObject({ code: 0 })
  })
})
