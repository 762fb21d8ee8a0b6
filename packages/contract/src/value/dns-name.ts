import { z } from 'zod'

/**
 * Names of DNS, as Contractor keeps them: lower case, without the last dot, international ones as `xn--` (RFC 5890).
 * A label has 63 octets at the most, a name 253 characters (RFC 1035, section 2.3.4). Hosts, and what zones are called,
 * have letters, digits and - (RFC 1123, section 2.1), since name servers refuse other owners of addresses; what only
 * labels data, as `_sip._tcp`, may have _ too.
 */
const hostLabel = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const dataLabel = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const labels = (label: string, least: 0 | 1) => `${label}(?:\\.${label})${least ? '+' : '*'}`
const labelRule = 'must be labels of letters, digits and - with dots between them, 63 characters each at the most'

export const longestName = 253
const name = (longest: number) =>
  z
    .string()
    .toLowerCase()
    .overwrite(text => text.replace(/(?<=.)\.$/, ''))
    .max(longest, `must be ${longest} characters at the most`)

/** Name of a Zone: so short that every hostname still fits before it. */
export const zoneName = name(longestName - 64)
  .regex(new RegExp(`^${labels(hostLabel, 0)}$`), labelRule)
  .refine(text => !/(^|\.)(in-addr|ip6)\.arpa$/.test(text), 'is a reverse zone: those are made from AddressBlocks')

/** A host by its full name. */
export const hostName = name(longestName).regex(
  new RegExp(`^${labels(hostLabel, 1)}$`),
  'must be the full name of a host, as ns1.example.com',
)

const owner = (label: string, rule: string) =>
  z
    .string()
    .toLowerCase()
    .max(longestName, `must be ${longestName} characters at the most`)
    .regex(new RegExp(`^(?:@|\\*|(?:\\*\\.)?${labels(label, 0)})$`), rule)

/** Of an entry that a host is looked up by, within its Zone. */
export const hostOwner = owner(hostLabel, '@, or labels of letters, digits and -, perhaps behind *., are needed')
export const dataOwner = owner(dataLabel, '@, or labels of letters, digits, - and _, perhaps behind *., are needed')

const target = (label: string, rule: string) =>
  z
    .string()
    .toLowerCase()
    .max(longestName, `must be ${longestName} characters at the most`)
    .regex(new RegExp(`^(?:@|${label}|${labels(label, 1)}\\.?)$`), rule)
    .overwrite(text => text.replace(/\.$/, ''))

/** Where an entry leads: without a dot within its Zone, `@` the Zone itself, with a dot the full name. */
export const hostTarget = target(hostLabel, 'must be a host: its name within the zone, or its full name')
export const dataTarget = target(dataLabel, 'must be a name within the zone, or a full name')

/** Who is responsible. Its local part becomes one label of the SOA. */
export const mailbox = z
  .email('must be a mail address')
  .max(longestName)
  .refine(text => text.lastIndexOf('@') <= 63, 'must have 63 characters at the most before the @')
