import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, shown, stamps } from '../field.ts'
import { createsMany, crud, itemsOf, method } from '../method.ts'
import { json } from '../primitives/json.ts'
import { macText } from '../value/mac.ts'
import { locator, ownFields, plainName } from '../value/names.ts'
import { configMethods } from './config.ts'
import { hardware } from './hardware.ts'
import { jobMethods, stateMethod } from './job.ts'

const serial = z.string().trim().min(1).max(100)
const state = z.enum(['planned', 'located', 'built'])
const name = z.string()

export const foundationFields = defineFields('Foundation', {
  locator: fixed(locator),
  type: fixed(z.string(), { filter: name }),
  site: field(plainName, { filter: name }),
  blueprint: field(plainName, { filter: name }),
  /** The Complex that provides it: when that is built, the Foreman locates the Foundation itself. */
  complex: field(plainName.nullable().default(null), { shown: name.nullable(), filter: name }),
  /** Where it stands. */
  plot: field(plainName.nullable().default(null), { shown: name.nullable(), filter: name }),
  /** Serial numbers of its baseboard, chassis or BMC: a machine that reports one of them is taken for it. */
  serials: field(z.array(serial).max(20).default([]), { shown: z.array(name) }),
  /** The hardware address of its BMC. */
  bmcMac: field(macText.nullable().default(null), { shown: name.nullable() }),
  /** The type's own columns, as its plugin declares them; secrets are shown as `***`. */
  fields: field(ownFields.default({})),
  state: shown(state, { filter: state }),
  /** What its machine has reported of its hardware; null until it is located that way. */
  idMap: shown(json.nullable()),
  locatedAt: shown(z.iso.datetime().nullable()),
  builtAt: shown(z.iso.datetime().nullable()),
  ...stamps,
})
export const { input: foundationInput, changes: foundationChanges, view: foundationView } = foundationFields
export type FoundationInput = z.output<typeof foundationInput>
export type FoundationView = z.output<typeof foundationView>

export const foundationQuery = askableQuery(foundationFields.filter)

/** Where it is looked for what is not ours yet. */
export const discoverInput = z.strictObject({
  type: z.string(),
  /** The Site whose agents look; the Complex's unless said. */
  site: plainName.optional(),
  complex: plainName.optional(),
})

/** What exists, and could be made a Foundation. */
export const candidate = z.object({ locator: z.string(), fields: ownFields, details: json }).meta({ id: 'Candidate' })
export type Candidate = z.output<typeof candidate>

/** What is really there of a Foundation, and in what it differs from what is known of it. */
export const reading = z
  .object({
    exists: z.boolean(),
    /** Its fields as they were seen. */
    fields: ownFields,
    /** Those that are not as they are kept. */
    differences: z.array(z.object({ field: z.string(), kept: json, seen: json })),
    details: json,
  })
  .meta({ id: 'Reading' })
export type Reading = z.output<typeof reading>

/** With the state: what its machine reports of its hardware, where its BluePrint has a validation template. */
const withHardware = {
  body: z.strictObject({ idMap: hardware.optional() }),
  ...({ bodyOptional: true, gives: 'options' } as const),
}

const called = { one: 'a Foundation', many: 'Foundations' }

export const foundation = defineNoun({
  ...{ name: 'Foundation', path: 'foundations', part: 'foundations', key: { name: 'locator', schema: locator } },
  ...({ subject: 'foundation', events: ['created', 'changed', 'deleted', 'located', 'built', 'destroyed'] } as const),
  methods: {
    ...crud(foundationFields, foundationQuery, called),
    createMany: createsMany(foundationInput, foundationView, called),
    discover: method({
      ...({ on: 'all', verb: 'post', path: '/discover', body: discoverInput, under: 'items' } as const),
      output: itemsOf(candidate),
      summary: 'Ask an agent what exists and is none of ours',
    }),
    read: method({
      ...({ on: 'one', verb: 'post', path: '/read', output: reading } as const),
      summary: 'Ask an agent what is really there, and in what that differs',
    }),
    ...configMethods,
    setLocated: { ...stateMethod('located', foundationView), ...withHardware },
    setBuilt: { ...stateMethod('built', foundationView), ...withHardware },
    setDestroyed: stateMethod('destroyed', foundationView),
    ...jobMethods,
  },
})
