import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, stamps } from '../field.ts'
import { crud, method } from '../method.ts'
import { pageOf, pageRequest } from '../page.ts'
import { plainName } from '../value/names.ts'

/** A physical place: a building, a room, a rack, a position in it. */
export const plotFields = defineFields('Plot', {
  name: field(plainName),
  /** The place that it is in. */
  parent: field(plainName.nullable().default(null), { shown: z.string().nullable(), filter: z.string() }),
  description: field(z.string().max(10_000, 'must be 10000 characters at the most').default('')),
  ...stamps,
})
export const { input: plotInput, changes: plotChanges, view: plotView } = plotFields
export type PlotView = z.output<typeof plotView>

export const plotQuery = askableQuery(plotFields.filter)

export const plotContentQuery = pageRequest.extend({
  /** Whether what stands in the places within it counts as well; true unless said. */
  deep: z.boolean().default(true),
})

/** A Foundation that stands there. */
export const plotContent = z
  .object({
    /** The place itself, or one within it. */
    plot: z.string(),
    locator: z.string(),
    type: z.string(),
    state: z.enum(['planned', 'located', 'built']),
    structure: z.object({ id: z.number().int(), hostname: z.string(), state: z.enum(['planned', 'built']) }).nullable(),
  })
  .meta({ id: 'PlotContent' })
export type PlotContent = z.output<typeof plotContent>

export const plot = defineNoun({
  ...{ name: 'Plot', path: 'plots', part: 'plots', key: { name: 'name', schema: plainName } },
  ...({ subject: 'plot', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    ...crud(plotFields, plotQuery, { one: 'a Plot', many: 'Plots' }),
    contents: method({
      ...({ on: 'one', path: '/contents', query: plotContentQuery } as const),
      output: pageOf(plotContent),
      summary: 'What stands there, and in the places within it unless `deep` is false',
    }),
  },
})
