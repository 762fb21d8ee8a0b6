import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { method } from '../method.ts'

const published = z
  .object({
    zones: z.array(
      z.object({
        name: z.string(),
        serial: z.number().int(),
        /** The zone file. */
        text: z.string(),
        /** The same as data: what is the SOA's, and the records in their order, with full names. */
        content: z.looseObject({ name: z.string(), ttl: z.number().int(), records: z.array(z.looseObject({})) }),
      }),
    ),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'PublishedZones' })

/** Zones, made from what is known. */
export const dns = defineNoun({
  ...{ name: 'DNS', path: 'dns', part: 'dns' },
  methods: {
    preview: method({
      ...({ on: 'all', path: '/preview', output: published } as const),
      summary: 'All zones as they are now; serials rise as they would when published, and are not kept',
    }),
    publish: method({
      ...({ on: 'all', verb: 'post', path: '/publish', output: published } as const),
      summary: 'All zones as they are now, with serials that are kept: those of zones that have changed have risen',
    }),
  },
})
