import { ContractorError } from '@contractor/plugin'
import { z } from 'zod'
import { absolute, dataOwner, dataTarget, hostOwner, hostTarget, longestName, zoneName } from './dns-name.ts'
import { ipv4, ipv6 } from './ip.ts'

/** Times are in seconds (RFC 2181, section 8). */
export const seconds = z.number().int().min(0).max(2_147_483_647)
const uint16 = z.number().int().min(0).max(65_535)

// The unique constraint keeps an entry's data in an index, whose rows are short; a key of DKIM has 800 characters.
const bytesAtMost = (most: number) => (text: string) => Buffer.byteLength(text) <= most
const freeText = z
  .string()
  .regex(/^[^\0\p{Surrogate}]*$/u, 'must be text without NUL')
  .refine(bytesAtMost(2000), 'must be 2000 bytes at the most')

const fields = {
  target: hostTarget,
  address: z.union([ipv4, ipv6]),
  priority: uint16,
  weight: uint16,
  port: uint16,
  text: freeText,
  flags: z.number().int().min(0).max(255),
  tag: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9]{1,15}$/, 'must be letters and digits, as issue'),
  value: z.string().regex(/^[\x20-\x7e]{0,1000}$/, 'must be 1000 characters of ASCII at the most'),
}

const entry = <Type extends string, Shape extends z.ZodRawShape, Owner extends z.ZodType>(
  type: Type,
  name: Owner,
  shape: Shape,
) => z.strictObject({ zone: zoneName, name, type: z.literal(type), ttl: seconds.nullable().default(null), ...shape })

// RFC 7505 (MX) and RFC 2782 (SRV): the root says that there is none.
const hostOrNone = z.union([z.literal('.'), hostTarget])
const serviceOwner = dataOwner.regex(
  /^_[a-z0-9-]+\._[a-z]+(\.|$)/,
  'must begin with a service and protocol, as _sip._tcp',
)
const noWildcard = (name: string) => !name.startsWith('*')
const cutOwner = hostOwner.refine(noWildcard, 'must be no wildcard: RFC 4592 leaves open what that would delegate')

/** An entry of a Zone, by its type. */
export const entryInput = z.discriminatedUnion('type', [
  entry('A', hostOwner, { address: ipv4 }),
  entry('AAAA', hostOwner, { address: ipv6 }),
  entry(
    'CNAME',
    dataOwner.refine(name => name !== '@', 'must not be the zone itself: it has SOA and NS'),
    {
      target: dataTarget,
    },
  ),
  entry('MX', hostOwner, { priority: fields.priority, target: hostOrNone }),
  entry('SRV', serviceOwner, {
    priority: fields.priority,
    weight: fields.weight,
    port: fields.port,
    target: hostOrNone,
  }),
  entry('TXT', dataOwner, { text: fields.text }),
  entry('CAA', dataOwner, { flags: fields.flags.default(0), tag: fields.tag, value: fields.value }),
  entry('NS', cutOwner, { target: fields.target }),
])
export type EntryInput = z.input<typeof entryInput>
export type Entry = z.output<typeof entryInput>

// What is not given stays as it is; the whole is checked as an entry of its type.
export const entryChanges = z
  .strictObject({ ...fields, name: z.string(), ttl: seconds.nullable(), target: z.string(), address: z.string() })
  .partial()

const shownAs = { id: z.number().int(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime() }

/** As it is shown: with full names of what it leads to. */
export const entryView = z
  .looseObject({ zone: z.string(), name: z.string(), type: z.string(), ttl: z.number().int().nullable() })
  .extend(shownAs)
export type EntryView = Entry & z.output<z.ZodObject<typeof shownAs>>

/** An entry with what it leads to as a full name, so that the same thing said in two ways is the same entry. */
export function placeEntry(given: Entry): Entry {
  const { zone, name } = given
  const refuse = (path: string, message: string) =>
    new ContractorError('VALIDATION_FAILED', `The entry of Zone '${zone}' is not valid: ${path}: ${message}`, {
      issues: [{ path, message }],
    })
  if (name === zone) throw refuse('name', `is within the zone: the zone itself is @`)
  if (name.endsWith(`.${zone}`))
    throw refuse('name', `is within the zone: say '${name.slice(0, -zone.length - 1)}' instead of '${name}'`)
  if (absolute(name, zone).length > longestName) throw refuse('name', `is too long with the zone's name behind it`)
  if (!('target' in given) || given.target === '.') return given
  const { target } = given
  const full = target === '@' || !target.includes('.') ? absolute(target, zone) : target
  return { ...given, target: full }
}
