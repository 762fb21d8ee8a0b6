import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, shown, stamps } from '../field.ts'
import { crud } from '../method.ts'
import { id, ownFields, plainName } from '../value/names.ts'

export const complexFields = defineFields('Complex', {
  name: fixed(plainName),
  site: fixed(plainName, { filter: z.string() }),
  description: field(z.string().default('')),
  /** A plugin's type of Complexes; null for one that is a group and nothing more. Stays as it is. */
  type: fixed(z.string().nullable().default(null), { filter: z.string() }),
  /** The type's own columns, as its plugin declares them; secrets are shown as `***`. */
  fields: field(ownFields.default({})),
  /** How many of its members must be built for it to be built, in percent. */
  builtPercentage: field(z.number().int().min(1).max(100).default(90)),
  /** The ids of its Structures. */
  members: field(z.array(id).default([])),
  /** Derived from its members. */
  state: shown(z.enum(['planned', 'built'])),
  ...stamps,
})
export const { input: complexInput, changes: complexChanges, view: complexView } = complexFields
export type ComplexView = z.output<typeof complexView>

export const complexQuery = askableQuery(complexFields.filter)

export const complex = defineNoun({
  ...{ name: 'Complex', path: 'complexes', part: 'complexes', key: { name: 'name', schema: plainName } },
  ...({ subject: 'complex', events: ['created', 'changed', 'deleted'] } as const),
  methods: crud(complexFields, complexQuery, { one: 'a Complex', many: 'Complexes' }),
})
