import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { gets, lists } from '../method.ts'
import { pageRequest } from '../page.ts'

/** A SubContractor that has asked for work. */
export const agentView = z
  .object({
    name: z.string(),
    /** Of its token: each with all below it. */
    sites: z.array(z.string()),
    /** Those that it offers and may have. */
    modules: z.array(z.string()),
    /** To ten seconds. */
    seenAt: z.iso.datetime(),
    /** How many Tasks it has in hand. */
    tasks: z.number().int(),
  })
  .meta({ id: 'Agent' })
export type AgentView = z.output<typeof agentView>

const called = { one: 'an agent', many: 'agents, with when they were last heard of' }

export const agent = defineNoun({
  ...{ name: 'Agent', path: 'agents', part: 'agents', key: { name: 'name', schema: z.string() } },
  methods: { get: gets(agentView, called), list: lists(pageRequest, agentView, called) },
})
