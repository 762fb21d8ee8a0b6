import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fingerprintOf, knownKeys } from '../src/known-hosts.ts'

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
