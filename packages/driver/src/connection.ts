import { secret } from '@contractor/plugin'
import { z } from 'zod'

/** A host name or an IP address. It cannot begin with a dash, and so never is an option of a command. */
export const host = z
  .string()
  .max(253)
  .regex(/^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/, 'must be a host name or an IP address')

export const port = z.number().int().min(1).max(65535)

/** A name by which one logs in: no control character, and no dash in front. */
export const userName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^-\p{Cc}][^\p{Cc}]*$/u, 'must be without control characters, and not begin with -')

export const password = secret(z.string().min(1).max(200))

/** The SHA-256 of a certificate or host key, in hexadecimal, with or without colons; gives it without, in lower case. */
export const fingerprint = z
  .string()
  .transform(text => text.replaceAll(':', '').toLowerCase())
  .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 fingerprint: 64 hexadecimal digits'))
