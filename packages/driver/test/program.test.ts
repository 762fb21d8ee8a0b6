import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ProgramOptions, runProgram } from '../src/program.ts'

const options = (more: Partial<ProgramOptions> = {}): ProgramOptions => ({
  ...{ signal: new AbortController().signal, timeoutMs: 20_000, remedy: 'install it there' },
  ...more,
})
const sh = (script: string, more: Partial<ProgramOptions> = {}) => runProgram('sh', ['-c', script], options(more))

/** The processes whose command line holds this text. */
const running = (text: string) =>
  readdirSync('/proc').filter(name => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  })

describe('a program', () => {
  it('gives its code and both outputs, and reads its input', async () => {
    expect(await sh('cat; echo problem >&2; exit 3', { input: 'text' })).toEqual({
      ...{ code: 3, stdout: 'text', stderr: 'problem\n', isLate: false },
    })
  })

  it('reads secrets from pipes that can be opened by name, several of them, beside its input', async () => {
    const script = 'cat; cat /dev/fd/3; cat < /dev/fd/4; cat /proc/$$/environ /proc/$$/cmdline | tr "\\0" " "'
    const { stdout } = await sh(script, { input: 'in ', secrets: ['first', 'second'] })
    expect(stdout.slice(0, 9)).toBe('in ******')
    expect(stdout).not.toMatch(/first|second/)
  })

  it('reads other texts in the same way, which may be seen', async () => {
    const { stdout } = await sh('cat /dev/fd/3 /dev/fd/4', { secrets: ['first'], files: ['<xml/>'] })
    expect(stdout).toBe('***<xml/>')
  })

  it('does not wait for one that reads no secret', async () => {
    expect(await sh('exit 0', { secrets: ['a'.repeat(1000)] })).toMatchObject({ code: 0 })
  })

  it('is refused with a secret among its arguments', async () => {
    await expect(runProgram('echo', ['--password=hunter2'], options({ secrets: ['hunter2'] }))).rejects.toThrow(
      'The command line of echo would show a secret',
    )
  })

  it.each([[[]], [['secret']]])('that is missing says how to get it', async secrets => {
    await expect(runProgram('no-such-program', [], options({ secrets }))).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: "The agent's machine has no program 'no-such-program': install it there",
    })
  })

  it.each([[[]], [['secret']]])('is killed with all that it started when its time is over', async secrets => {
    const mark = `6${Math.random().toString().slice(2, 8)}`
    const ended = await sh(`echo begun; sleep ${mark} & sleep ${mark}`, { timeoutMs: 300, secrets })
    expect(ended).toMatchObject({ code: null, isLate: true, stdout: 'begun\n' })
    expect(running(`sleep\0${mark}`)).toEqual([])
  })

  it('is killed when it is aborted, at once also', async () => {
    const abort = new AbortController()
    const refused = expect(sh('sleep 60', { signal: abort.signal })).rejects.toThrow('claim lost')
    abort.abort(new Error('claim lost'))
    await refused
    await expect(sh('exit 0', { signal: abort.signal })).rejects.toThrow('claim lost')
  })

  it('that writes without end is ended, and that is no answer', async () => {
    await expect(sh('yes', { mostBytes: 1000 })).rejects.toMatchObject({
      code: 'DEVICE_ANSWER_INVALID',
      retryable: true,
    })
  })
})
