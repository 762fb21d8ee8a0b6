import { createHash, randomBytes } from 'node:crypto'

/** Digest access authentication (RFC 7616), with `qop=auth`: as AMT asks for it. */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  readonly algorithm: 'MD5' | 'SHA-256'
  readonly isStale: boolean
}

/** Undefined where it asks for something else. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const given = /^Digest\s+(.*)$/is.exec(header?.trim() ?? '')?.[1]
  if (given === undefined) return undefined
  const pairs = [...given.matchAll(/([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)]
  const values = new Map(
    pairs.map(([, name = '', quoted, plain]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '']),
  )
  const algorithm = (values.get('algorithm') ?? 'MD5').toUpperCase()
  const [realm, nonce, qop = 'auth'] = [values.get('realm'), values.get('nonce'), values.get('qop')]
  if (realm === undefined || !nonce || !qop.split(/\s*,\s*/).includes('auth')) return undefined
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined
  return {
    ...{ realm, nonce, algorithm, opaque: values.get('opaque') },
    isStale: values.get('stale')?.toLowerCase() === 'true',
  }
}

export interface DigestRequest {
  readonly username: string
  readonly password: string
  readonly method: string
  readonly uri: string
  /** How often this nonce was used, from 1. */
  readonly count: number
  /** By chance, unless a test says. */
  readonly clientNonce?: string
}

/** What `Authorization` says in answer to a challenge. The password itself is not in it. */
export function answerChallenge(challenge: Challenge, request: DigestRequest): string {
  const { realm, nonce, opaque, algorithm } = challenge
  const { username, password, method, uri, count, clientNonce = randomBytes(12).toString('hex') } = request
  const hash = (text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex')
  const nc = count.toString(16).padStart(8, '0')
  const secret = hash(`${username}:${realm}:${password}`)
  const response = hash([secret, nonce, nc, clientNonce, 'auth', hash(`${method}:${uri}`)].join(':'))
  const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  const parts = [
    ...[`username=${quote(username)}`, `realm=${quote(realm)}`, `nonce=${quote(nonce)}`, `uri=${quote(uri)}`],
    ...[
      `algorithm=${algorithm}`,
      'qop=auth',
      `nc=${nc}`,
      `cnonce=${quote(clientNonce)}`,
      `response=${quote(response)}`,
    ],
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
  ]
  return `Digest ${parts.join(', ')}`
}
