import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { creates, deletes, lists } from '../method.ts'
import { pageRequest } from '../page.ts'
import { permissions } from '../permission.ts'
import { plainName } from '../value/names.ts'

/** A bearer token is either an admin's, or an agent's: bound to Sites (each with all below it) and modules. */
export const tokenInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('admin'), name: plainName }),
  z.strictObject({
    kind: z.literal('agent'),
    name: plainName,
    sites: z.array(plainName).min(1, 'at least one Site is needed'),
    modules: z.array(z.string()).min(1, 'at least one module is needed'),
  }),
])

/** It is made and deleted, and never changes. */
export const tokenView = z
  .object({
    name: z.string(),
    kind: z.enum(permissions),
    sites: z.array(z.string()),
    modules: z.array(z.string()),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Token' })
export type TokenView = z.output<typeof tokenView>

const called = { one: 'a token; its secret is told this once', many: 'tokens' }

export const token = defineNoun({
  ...{ name: 'Token', path: 'tokens', part: 'tokens', key: { name: 'name', schema: plainName } },
  ...({ subject: 'token', events: ['created', 'deleted'] } as const),
  methods: {
    create: creates(tokenInput, tokenView.extend({ secret: z.string() }).meta({ id: 'NewToken' }), called),
    list: lists(pageRequest, tokenView, called),
    delete: { ...deletes({ one: 'a token', many: '' }), ifVersion: false },
  },
})
