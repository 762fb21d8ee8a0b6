import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { handlers } from '../src/handlers/index.ts'
import { ssh } from '../src/ssh.ts'

const login = { host: '10.0.0.7', username: 'root', password: 'geheim' }
const ended = { rc: 0, signal: null, stdout: 'x', stderr: '', all: null }

describe('the laws of plugins', () => {
  const laws = pluginLaws(ssh, handlers, {
    args: {
      execute: [
        { ...login, command: 'true' },
        { ...login, command: 'false', expected_rc: 1, jump: login },
      ],
      run: [{ ...login, command: 'ls', environment: { A: 1 } }],
      put: [{ ...login, destination: '/etc/motd', content: 'x', mode: '0644' }],
      file: [{ ...login, destination: '/etc/motd', source: 'http://10.0.0.1/motd' }],
      get: [{ ...login, path: '/etc/motd' }],
    },
    replies: {
      execute: [ended, { ...ended, rc: 1 }, { ...ended, rc: null, signal: 'KILL' }],
      put: [{ changed: true, sha256: 'a', sizeBytes: 1 }],
      get: [{ content: 'x', sha256: 'a', sizeBytes: 1, all: null }],
    },
    abortable: { get: { ...login, host: '127.0.0.1', port: 9, path: '/x', timeoutMs: 1000 } },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a command ends with', () => {
  const end = (reply: object) => {
    const { execute } = ssh.functions
    if (!execute) throw new Error('no execute')
    const state = execute.start(execute.args.parse({ ...login, command: 'make all\nmore' }), {} as never)
    return execute.outcome(
      execute.state.parse(execute.receive?.(execute.state.parse(state), { now: 0, ...reply } as never)),
    )
  }
  it('is True where it is what was expected, the end of the Job where it is not, and an error without an answer', () => {
    expect(end({ kind: 'result', value: ended })).toEqual({ kind: 'done', value: true })
    expect(end({ kind: 'result', value: { ...ended, rc: 2, stderr: 'no rule' } })).toEqual({
      ...{ kind: 'aborted', message: "10.0.0.7: 'make all' ended with 2, not with 0: no rule" },
    })
    expect(end({ kind: 'failed', error: { code: 'X', message: 'away', retryable: true } })).toEqual({
      kind: 'error',
      message: 'away',
    })
  })
})

describe('arguments', () => {
  /** Whether a call with them asks for a Task that can be done. */
  const taken = (given: object) => {
    const { execute } = ssh.functions
    const args = execute?.args.safeParse(given)
    if (!execute || !args?.success) return false
    return execute.state.safeParse(execute.start(args.data, {} as never)).success
  }
  it.each([
    [{ ...login, host: '-oProxyCommand=x', command: 'x' }],
    [{ ...login, username: '-l', command: 'x' }],
    [{ ...login, host_key: 'MD5:aa', command: 'x' }],
    [{ ...login, environment: { 'A;B': 'x' }, command: 'x' }],
  ])('%j are refused', given => {
    expect(taken(given)).toBe(false)
  })
})
