import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import {
  ContractorError,
  holdsSecret,
  type Json,
  mapTexts,
  replaceSecrets,
  secretMask,
  writeSecret,
} from '@contractor/contract'

/**
 * Encryption of secrets: AES-256-GCM with a fresh nonce each, the name authenticated with it, so that what is sealed
 * under one name cannot be passed off as another. A sealed text names its key by the first bytes of the key's hash:
 * with several keys the first seals, and all open, which is how a key is changed.
 */
export interface Seals {
  /** A reference to a text; throws SECRET_KEY_MISSING. `whose` says in the message what needs it. */
  seal(text: string, whose: string, name?: string): string
  /** A value with each reference replaced by what it stands for; throws SECRET_KEY_MISSING. */
  reveal(value: Json): Json
  /** All that the references in a value stand for. */
  plainTexts(value: Json): string[]
}

const nonceBytes = 12
const tagBytes = 16

interface Key {
  id: string
  bytes: Buffer
}

/** Keys are 32 bytes in base64; throws VALIDATION_FAILED. */
export function createSeals(keys: readonly string[]): Seals {
  const all = keys.map(parseKey)
  const [first] = all

  const open = ({ name, sealed }: { name: string; sealed: string }): string => {
    const [id = '', data = ''] = sealed.split('.')
    const key = all.find(one => one.id === id)
    if (!key) throw missing(`A secret${name && ` '${name}'`} was sealed with another key`)
    const bytes = Buffer.from(data, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes))
    decipher.setAAD(Buffer.from(name))
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
    return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
  }

  return {
    seal(text, whose, name = '') {
      if (!first) throw missing(`${whose} cannot be kept`)
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', first.bytes, nonce)
      cipher.setAAD(Buffer.from(name))
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      const sealed = `${first.id}.${Buffer.concat([nonce, cipher.getAuthTag(), data]).toString('base64url')}`
      return writeSecret({ name, sealed })
    },
    reveal: value => mapTexts(value, text => replaceSecrets(text, open)),
    plainTexts(value) {
      const found = new Set<string>()
      mapTexts(value, text => {
        replaceSecrets(text, secret => {
          found.add(open(secret))
          return ''
        })
        return text
      })
      return [...found]
    },
  }
}

/** A value without these texts, which an agent may have repeated in what it says. */
export function scrub(value: Json, plainTexts: readonly string[]): Json {
  // One or two characters stand everywhere; masking them would tell more than it hides.
  const long = plainTexts.filter(text => text.length > 2)
  if (!long.length) return value
  return mapTexts(value, text =>
    holdsSecret(text) ? text : long.reduce((kept, one) => kept.replaceAll(one, secretMask), text),
  )
}

function parseKey(text: string): Key {
  const bytes = Buffer.from(text.trim(), 'base64')
  if (bytes.length !== 32) {
    throw new ContractorError(
      'VALIDATION_FAILED',
      'A secret key must be 32 bytes in base64. Make one with: openssl rand -base64 32',
      { issues: [{ path: 'secretKey', message: `is ${bytes.length} bytes long` }] },
    )
  }
  return { id: createHash('sha256').update(bytes).digest('base64url').slice(0, 6), bytes }
}

const missing = (what: string) =>
  new ContractorError(
    'SECRET_KEY_MISSING',
    `${what}: the key to secrets is not set. Give it as \`secretKey\`, or to the server as CONTRACTOR_SECRET_KEY.`,
    {},
  )
