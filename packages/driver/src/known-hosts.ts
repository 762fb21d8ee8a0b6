import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** As `ssh-keygen -lf` shows a key. */
export const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** The keys that known_hosts has for a host (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"); revoked ones are none. */
export function knownKeys(host: string, port: number, file = join(homedir(), '.ssh', 'known_hosts')): Buffer[] {
  const name = port === 22 ? host : `[${host}]:${port}`
  return linesOf(file).flatMap(line => {
    const [names = '', , key = ''] = line.trim().split(/\s+/)
    if (!names || /^[#@]/.test(names) || !key) return []
    return names.split(',').some(one => isNamed(one, name)) ? [Buffer.from(key, 'base64')] : []
  })
}

function isNamed(pattern: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern) ?? []
  if (salt === undefined || hash === undefined) return pattern === name
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}
