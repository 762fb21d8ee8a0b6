import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, listQuery, shown, stamps } from '../field.ts'
import { deletes, gets, lists, method } from '../method.ts'
import { ipText } from '../value/ip.ts'
import { machineIdentifier } from '../value/names.ts'
import { hardware } from './hardware.ts'

export const cartographerState = z.enum(['unmatched', 'aside', 'matched'])

/** What was left out of a machine's report. */
export const omission = z.object({
  /** Where in the report, as `disks.0.sizeBytes`. */
  path: z.string(),
  reason: z.string(),
})
export type Omission = z.output<typeof omission>

/**
 * What speaks for a machine being a Foundation. Each kind has a weight that is more than that of all later kinds
 * together, so that the first kind that differs decides between two Foundations.
 */
export const evidenceKinds = ['configUuid', 'lldp', 'mac', 'serial', 'address'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

export const evidence = z.object({
  kind: z.enum(evidenceKinds),
  /** What the machine has shown. */
  value: z.string(),
  /** The locator of the Foundation that is known by it. */
  foundation: z.string(),
  /** None for what does not tell two machines, or two Foundations, from each other. */
  weight: z.number().int(),
  /** Why it weighs nothing. */
  note: z.string().optional(),
})
export type Evidence = z.output<typeof evidence>

/** From where a machine reports. */
export const machineSource = z.strictObject({ address: ipText.optional() })

export const cartographerFields = defineFields('Cartographer', {
  identifier: shown(machineIdentifier),
  /** What the machine calls itself. Of several that call themselves the same, each has an identifier of its own. */
  called: shown(z.string()),
  /** `aside`: it may be several, or one that it must not be; an operator has to say. */
  state: shown(cartographerState, { filter: cartographerState }),
  message: shown(z.string()),
  /** What the machine does next: report again later, or boot as what it is. */
  next: shown(z.enum(['report', 'boot'])),
  /** The locator of what it is. */
  foundation: shown(z.string().nullable()),
  /** Without its config UUID. */
  hardware: shown(hardware.nullable()),
  /** What was left out of its report since it could not be used, and why; of very many omissions the first ones. */
  omitted: shown(z.array(omission)),
  /** What speaks for which Foundation; the weight of an earlier kind is more than that of all later ones together. */
  evidence: shown(z.array(evidence)),
  /** From where it was last heard. */
  address: shown(z.string().nullable()),
  matchedAt: shown(z.iso.datetime().nullable()),
  /** `updatedAt`: when it was last heard, or an operator changed it. */
  ...stamps,
})
export const { view: cartographerView } = cartographerFields
export type CartographerView = z.output<typeof cartographerView>

/** What a machine is told of itself; nothing of what it reported comes back, since anybody may ask. */
export const machineView = cartographerView
  .pick({ identifier: true, state: true, message: true, next: true, foundation: true })
  .meta({ id: 'Machine' })
export type MachineView = z.output<typeof machineView>

export const cartographerQuery = listQuery(cartographerFields.filter)

export const assignment = z.strictObject({ foundation: z.string() })

const act = <const Path extends string>(path: Path, summary: string) =>
  method({ ...({ on: 'one', verb: 'post', output: cartographerView, ifVersion: true } as const), path, summary })

const called = { one: 'a Cartographer: a machine that has reported itself', many: 'Cartographers' }

export const cartographer = defineNoun({
  ...{ name: 'Cartographer', path: 'cartographers', part: 'cartographers' },
  key: { name: 'identifier', schema: z.string() },
  ...({
    subject: 'cartographer',
    events: ['registered', 'matched', 'mismatched', 'aside', 'released', 'deleted'],
  } as const),
  methods: {
    get: gets(cartographerView, called),
    list: lists(cartographerQuery, cartographerView, called),
    assign: {
      ...act('/assign', 'Say which Foundation it is'),
      ...({ body: assignment, gives: ['foundation'] } as const),
    },
    release: act('/release', 'Forget the match; the Foundation stays what it is'),
    retry: act('/retry', 'Look again at what it has reported'),
    delete: deletes({ one: 'a Cartographer: it comes again when it reports again', many: '' }),
  },
})
