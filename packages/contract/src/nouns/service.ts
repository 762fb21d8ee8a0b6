import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, field, fixed, listQuery, shown, stamps } from '../field.ts'
import { deletes, gets, lists, method } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { id, ownFields, plainName } from '../value/names.ts'

/** What an agent runs all the time for a Site: its version is that of its configuration. */
export const serviceFields = defineFields('Service', {
  id: shown(z.number().int()),
  /** As its plugin names it. */
  name: fixed(z.string(), { filter: z.string() }),
  site: fixed(plainName, { filter: z.string() }),
  /** As its plugin declares it; a secret in it is shown as `***`, and `***` leaves it as it is. */
  config: field(ownFields.default({})),
  /** The agent that has it; null while none does. */
  agent: shown(z.string().nullable()),
  /** Whether that agent was heard of in time. */
  running: shown(z.boolean()),
  /** What its agent says of it when it does not run as it should. */
  trouble: shown(z.string()),
  ...stamps,
})
export const { input: serviceInput, view: serviceView } = serviceFields
export type ServiceView = z.output<typeof serviceView>

export const serviceQuery = listQuery(serviceFields.filter, idPageRequest)
const called = { one: 'a service', many: 'services: what agents run all the time' }

export const service = defineNoun({
  ...{ name: 'Service', path: 'services', part: 'services', key: { name: 'id', schema: id } },
  ...({ subject: 'service', events: ['changed', 'deleted'] } as const),
  methods: {
    put: method({
      ...({ on: 'all', verb: 'put', path: '', body: serviceInput, output: serviceView, ifVersion: true } as const),
      summary: 'Configure it for a Site; whoever runs it there starts it anew when that changes something',
    }),
    get: gets(serviceView, called),
    list: lists(serviceQuery, serviceView, called),
    delete: deletes(called),
  },
})
