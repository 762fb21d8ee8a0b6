import { z } from 'zod'
import { json } from '../primitives/json.ts'
import { isStorable } from '../primitives/text.ts'
import { withLfWithin } from './line-ends.ts'

/** The rules for names: one schema each, for SDK, REST, commands and resource files alike. */

const plain = /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/
const plainRule = 'must be letters, digits, - and _, beginning with a letter or digit'

/** Name of a Site, BluePrint, Script or PXE. */
export const plainName = z.string().max(40, 'must be 40 characters at the most').regex(plain, plainRule)

export const locator = z.string().max(100, 'must be 100 characters at the most').regex(plain, plainRule)

/** What the database numbers. */
export const id = z.number().int().positive()

/** Host part of a DNS name (RFC 1123, section 2.1: 63 octets a label). */
export const hostname = z
  .string()
  .max(63, 'must be 63 characters at the most')
  .regex(
    /^[a-z0-9][a-z0-9-]*[a-z0-9]$/,
    'must be two or more lower case letters, digits and -, not beginning or ending with -',
  )

/**
 * As an operating system, a switch or a case names a port: `eth0.100`, `Ethernet 2`, `vEthernet (Default Switch)`, `Gi1/0/1`.
 * Nobody's rules are the same, so whatever a machine may report of its ports is taken here.
 */
export const interfaceName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(255, 'must be 255 characters at the most')
  .refine(written => !/\p{Cc}/u.test(written), 'must be without control characters')
  .refine(isStorable, 'must be without halves of characters')

export const configName = z
  .string()
  .regex(
    /^[<>~-]?[a-zA-Z0-9][a-zA-Z0-9_-]*(:[a-zA-Z0-9]+)?$/,
    'must be letters, digits, - and _, with < > ~ or - before it and :Class after it where wanted',
  )

export const configValues = z.record(configName, json).overwrite(withLfWithin)

/** Of a plugin's type: what they may be, its own schema says. */
export const ownFields = z.record(z.string(), json)

/** Secrets that have a name: a config value `{ "$secret": "lab/root-password" }` stands for one. */
export const secretName = z
  .string()
  .max(200, 'must be 200 characters at the most')
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]*$/, 'must be letters, digits, ., _, / and -, beginning with a letter or digit')

/** What a machine calls itself, the same at each boot: a serial number, a UUID or a MAC, say. */
export const machineIdentifier = z
  .string()
  .max(100, 'must be 100 characters at the most')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]*$/,
    'must be letters, digits, and . _ : - after the first, beginning with a letter or digit',
  )
