import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, listQuery, shown, stamps } from '../field.ts'
import { deletes, lists, method } from '../method.ts'
import { secretName } from '../value/names.ts'

export const secretInput = z.strictObject({ name: secretName, value: z.string().min(1) })

/** A secret's value is in no view. */
export const secretFields = defineFields('Secret', { name: shown(z.string()), ...stamps })
export const { view: secretView } = secretFields
export type SecretView = z.output<typeof secretView>

export const secretQuery = listQuery(secretFields.filter)

/** A name may have slashes: in a path they are `%2F`. */
export const secret = defineNoun({
  ...{ name: 'Secret', path: 'secrets', part: 'secrets', key: { name: 'name', schema: secretName } },
  ...({ subject: 'secret', events: ['changed', 'deleted'] } as const),
  methods: {
    put: method({
      ...({ on: 'all', verb: 'post', path: '', body: secretInput, output: secretView, ifVersion: true } as const),
      summary: 'Store a secret, in place of an earlier one of that name; it goes in, and does not come out',
    }),
    list: lists(secretQuery, secretView, { one: '', many: 'the names of secrets' }),
    delete: deletes({ one: 'a secret', many: '' }),
  },
})
