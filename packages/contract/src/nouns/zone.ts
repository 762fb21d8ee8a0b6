import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, stamps } from '../field.ts'
import { crud } from '../method.ts'
import { hostName, mailbox, zoneName } from '../value/dns-name.ts'
import { seconds } from '../value/seconds.ts'

const timing = seconds.min(1, 'must be 1 second at the least')

export const zoneFields = defineFields('Zone', {
  name: fixed(zoneName, { shown: z.string() }),
  /** The Zone that delegates to it: the nearest one above its name unless said; null for one that is not ours. */
  parent: field(zoneName.nullable().optional(), { shown: z.string().nullable(), filter: z.string() }),
  /** Of who is responsible for it. */
  email: field(mailbox),
  /** Full names, the primary one first. */
  nameservers: field(
    z
      .array(hostName)
      .min(1, 'must name one at the least')
      .max(13, 'must name 13 at the most')
      .refine(names => new Set(names).size === names.length, 'must name none twice'),
  ),
  /** How long an answer may be kept, in seconds, unless its entry says otherwise. */
  ttl: field(seconds.default(3600)),
  /** How often a secondary asks for changes, and again when it got no answer (RFC 1912, section 2.2). */
  refresh: field(timing.default(3600)),
  retry: field(timing.default(600)),
  /** For how long a secondary answers without having reached the primary. */
  expire: field(timing.default(1_209_600)),
  /** How long it may be kept that a name does not exist (RFC 2308, section 4). */
  minimum: field(seconds.default(3600)),
  ...stamps,
})
export const { input: zoneInput, changes: zoneChanges, view: zoneView } = zoneFields
export type ZoneView = z.output<typeof zoneView>

export const zoneQuery = askableQuery(zoneFields.filter)

export const zone = defineNoun({
  ...{ name: 'Zone', path: 'zones', part: 'zones', key: { name: 'name', schema: zoneName } },
  ...({ subject: 'zone', events: ['created', 'changed', 'deleted', 'published'] } as const),
  methods: crud(zoneFields, zoneQuery, { one: 'a Zone', many: 'Zones' }),
})
