import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { handlers } from '../src/handlers/index.ts'
import { fingerprintOf, knownKeys } from '../src/handlers/known-hosts.ts'
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

describe('known_hosts', () => {
  const key = Buffer.from('a key')
  function file(...lines: string[]): string {
    const folder = mkdtempSync(join(tmpdir(), 'known-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'known_hosts'), lines.join('\n'))
    return join(folder, 'known_hosts')
  }
  const encoded = key.toString('base64')
  const hashed = (name: string) => {
    const salt = Buffer.from('salt')
    return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
  }

  it('has keys by name, by name and port, and hashed; comments and revoked keys are none', () => {
    const known = file(
      '# comment',
      `other,web1 ssh-ed25519 ${encoded}`,
      `[web2]:2222 ssh-ed25519 ${encoded}`,
      `${hashed('web3')} ssh-ed25519 ${encoded}`,
      `@revoked web4 ssh-ed25519 ${encoded}`,
    )
    expect(knownKeys('web1', 22, known)).toEqual([key])
    expect(knownKeys('web2', 2222, known)).toEqual([key])
    expect(knownKeys('web3', 22, known)).toEqual([key])
    for (const name of ['web2', 'web4', 'web']) expect(knownKeys(name, 22, known)).toEqual([])
    expect(knownKeys('web1', 22, '/nowhere')).toEqual([])
  })

  it('names a key as ssh-keygen does', () => {
    expect(fingerprintOf(key)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
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
