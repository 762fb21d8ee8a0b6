import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, stamps } from '../field.ts'
import { crud } from '../method.ts'
import { zoneName } from '../value/dns-name.ts'
import { configValues, plainName } from '../value/names.ts'
import { configMethods, shownValues } from './config.ts'

export const siteFields = defineFields('Site', {
  name: fixed(plainName),
  /** The Site above, whose config values it inherits. */
  parent: field(plainName.nullable().default(null), { shown: z.string().nullable(), filter: z.string() }),
  /** The DNS Zone of its Structures; that of the Site above unless it has one. */
  zone: field(zoneName.nullable().default(null), { shown: z.string().nullable() }),
  description: field(z.string().default('')),
  configValues: field(configValues.default({}), { shown: shownValues }),
  ...stamps,
})
export const { input: siteInput, changes: siteChanges, view: siteView } = siteFields
export type SiteView = z.output<typeof siteView>

export const siteQuery = askableQuery(siteFields.filter)

export const site = defineNoun({
  ...{ name: 'Site', path: 'sites', part: 'sites', key: { name: 'name', schema: plainName } },
  ...({ subject: 'site', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    ...crud(siteFields, siteQuery, { one: 'a Site', many: 'Sites' }),
    ...configMethods,
  },
})
