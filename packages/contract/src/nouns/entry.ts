import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { listQuery, stamps } from '../field.ts'
import { creates, deletes, gets, lists, updates } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { nameUnknown } from '../primitives/near-name.ts'
import { dataOwner, dataTarget, hostOwner, hostTarget, zoneName } from '../value/dns-name.ts'
import { ipv4, ipv6 } from '../value/ip.ts'
import { id } from '../value/names.ts'
import { seconds } from '../value/seconds.ts'

const uint16 = z.number().int().min(0).max(65_535)

// The unique constraint keeps an entry's data in an index, whose rows are short; a key of DKIM has 800 characters.
const bytesAtMost = (most: number) => (text: string) => new TextEncoder().encode(text).length <= most
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

const entryOf = <Type extends string, Shape extends z.ZodRawShape, Owner extends z.ZodType>(
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
  entryOf('A', hostOwner, { address: ipv4 }),
  entryOf('AAAA', hostOwner, { address: ipv6 }),
  entryOf(
    'CNAME',
    dataOwner.refine(name => name !== '@', 'must not be the zone itself: it has SOA and NS'),
    {
      target: dataTarget,
    },
  ),
  entryOf('MX', hostOwner, { priority: fields.priority, target: hostOrNone }),
  entryOf('SRV', serviceOwner, {
    priority: fields.priority,
    weight: fields.weight,
    port: fields.port,
    target: hostOrNone,
  }),
  entryOf('TXT', dataOwner, { text: fields.text }),
  entryOf('CAA', dataOwner, { flags: fields.flags.default(0), tag: fields.tag, value: fields.value }),
  entryOf('NS', cutOwner, { target: fields.target }),
])
export type EntryInput = z.input<typeof entryInput>
export type Entry = z.output<typeof entryInput>

// What is not given stays as it is; the whole is checked as an entry of its type.
export const entryChanges = z
  .strictObject({ ...fields, name: z.string(), ttl: seconds.nullable(), target: z.string(), address: z.string() })
  .partial()

const shownAs = {
  id: z.number().int(),
  version: stamps.version.shown,
  createdAt: stamps.createdAt.shown,
  updatedAt: stamps.updatedAt.shown,
}

/** As it is shown: with full names of what it leads to, and with the fields of its type. */
export const entryView = z
  .looseObject({ zone: z.string(), name: z.string(), type: z.string(), ttl: z.number().int().nullable() })
  .extend(shownAs)
  .meta({ id: 'Entry' })
export type EntryView = Entry & z.output<z.ZodObject<typeof shownAs>>

export const entryQuery = listQuery(
  z.strictObject({ zone: z.string().optional(), name: z.string().optional() }, { error: nameUnknown }),
  idPageRequest,
)
const called = { one: 'an Entry of a Zone', many: 'Entries of Zones' }

export const entry = defineNoun({
  ...{ name: 'Entry', path: 'entries', part: 'zones.entries', key: { name: 'id', schema: id } },
  methods: {
    create: creates(entryInput, entryView, called),
    get: gets(entryView, called),
    list: lists(entryQuery, entryView, called),
    update: updates(entryChanges, entryView, called),
    delete: deletes(called),
  },
})
