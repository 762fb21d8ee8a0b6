import { ContractorError } from '@contractor/contract'

/** Algorithms of RFC 8945, section 6, with the names that node:crypto has for them. MD5 is refused. */
export const tsigAlgorithms: Readonly<Record<string, string>> = {
  'hmac-sha1': 'sha1',
  'hmac-sha224': 'sha224',
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
}

/** A key that a name server shares with us. */
export interface TsigKey {
  readonly name: string
  readonly algorithm: string
  readonly secret: Buffer
}

/** The one key of a file as `tsig-keygen` writes it. `source` is how messages name it; they never tell the secret. */
export function parseKeyFile(text: string, source: string): TsigKey {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)(\/\/|#).*$/gm, '$1')
  const blocks = [...bare.matchAll(/\bkey\s+"?([^\s"{]+)"?\s*\{([^}]*)\}/g)]
  if (blocks.length !== 1) throw invalid(source, `it must hold one key "NAME" { … }; it holds ${blocks.length}`)
  const [, name = '', body = ''] = blocks[0] ?? []
  const field = (what: string) => new RegExp(`\\b${what}\\s+"?([^\\s";]+)"?\\s*;`).exec(body)?.[1]
  const algorithm = field('algorithm')
  const secret = field('secret')
  if (algorithm === undefined || secret === undefined)
    throw invalid(source, `it has no ${algorithm === undefined ? 'algorithm' : 'secret'}`)
  return toKey(name, algorithm, secret, source)
}

/** A key as NAME:ALGORITHM:SECRET, for where there is no file. */
export function parseKeyText(text: string, source: string): TsigKey {
  const [name, algorithm, secret, ...others] = text.trim().split(':')
  if (!name || !algorithm || !secret || others.length) throw invalid(source, 'it must be NAME:ALGORITHM:SECRET')
  return toKey(name, algorithm, secret, source)
}

function toKey(name: string, algorithm: string, secret: string, source: string): TsigKey {
  const kind = algorithm.toLowerCase().replace(/\.$/, '')
  const bytes = Buffer.from(secret, 'base64')
  const known = Object.keys(tsigAlgorithms).join(', ')
  if (!(kind in tsigAlgorithms)) throw invalid(source, `'${kind}' is no algorithm for it. There are: ${known}`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret) || !bytes.length) throw invalid(source, 'its secret is not Base64')
  return { name: name.toLowerCase().replace(/\.$/, ''), algorithm: kind, secret: bytes }
}

function invalid(source: string, why: string): ContractorError {
  return new ContractorError('VALIDATION_FAILED', `The key in ${source} cannot be used: ${why}`, {
    issues: [{ path: source, message: why }],
  })
}
