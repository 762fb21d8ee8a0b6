import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, shown, stamps } from '../field.ts'
import { createsMany, crud, itemsOf, method } from '../method.ts'
import { filterText, idPageRequest } from '../page.ts'
import { wireError } from '../primitives/error.ts'
import { configValues, hostname, id, locator, plainName } from '../value/names.ts'
import { configMethods, shownValues } from './config.ts'
import { jobMethods, stateMethod } from './job.ts'

const state = z.enum(['planned', 'built'])

export const structureFields = defineFields('Structure', {
  id: shown(z.number().int()),
  hostname: field(hostname),
  site: field(plainName, { filter: z.string() }),
  blueprint: field(plainName, { filter: z.string() }),
  /** The locator of the Foundation that it stands on, which may be of another Site. */
  foundation: field(locator),
  configValues: field(configValues.default({}), { shown: shownValues }),
  state: shown(state, { filter: state }),
  configUuid: shown(z.uuid()),
  builtAt: shown(z.iso.datetime().nullable()),
  ...stamps,
})
export const { input: structureInput, changes: structureChanges, view: structureView } = structureFields
export type StructureInput = z.output<typeof structureInput>
export type StructureView = z.output<typeof structureView>

export const structureQuery = askableQuery(structureFields.filter, idPageRequest)
export const structureCountQuery = structureFields.filter.extend({ filter: filterText.optional() })
export const structureConfigQuery = structureFields.filter.extend({ ids: z.array(z.number().int()).optional() })

/** The config of one of many Structures, or why it cannot be rendered. */
export const structureConfig = z.object({
  id: z.number().int(),
  hostname: z.string(),
  values: shownValues.optional(),
  error: wireError.optional(),
})
export type StructureConfig = z.output<typeof structureConfig>

const called = { one: 'a Structure', many: 'Structures' }

export const structure = defineNoun({
  ...{ name: 'Structure', path: 'structures', part: 'structures', key: { name: 'id', schema: id } },
  ...({ subject: 'structure', events: ['created', 'changed', 'deleted', 'built', 'destroyed'] } as const),
  methods: {
    ...crud(structureFields, structureQuery, called),
    createMany: createsMany(structureInput, structureView, called),
    count: method({
      ...({ on: 'all', path: '/count', query: structureCountQuery, under: 'count' } as const),
      output: z.object({ count: z.number().int() }),
      summary: 'How many there are: of a Site, of a BluePrint, in a state',
    }),
    configs: method({
      ...({ on: 'all', verb: 'post', path: '/configs', body: structureConfigQuery, under: 'items' } as const),
      output: itemsOf(structureConfig),
      summary: 'The configs of many; one that cannot be rendered says so and spoils no other',
    }),
    ...configMethods,
    setBuilt: stateMethod('built', structureView),
    setDestroyed: stateMethod('destroyed', structureView),
    ...jobMethods,
  },
})
