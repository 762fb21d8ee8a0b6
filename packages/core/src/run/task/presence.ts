import type { ClaimRequest } from '@contractor/plugin/wire'
import { agent as agentTable } from '../../database/job-schema.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AgentIdentity } from './agent-identity.ts'

/** Notes which agents ask for work: not each time, since busy ones ask often, but as often as an explanation needs. */
export interface Presence {
  seen(identity: AgentIdentity, request: ClaimRequest): void
}

/** How exactly it is known when an agent was last seen, in milliseconds. */
const noteEveryMs = 10_000

export function createPresence(engine: Engine): Presence {
  const noted = new Set<string>()
  const note = async ({ sites, modules: allowed }: AgentIdentity, { agent: name, modules: offered }: ClaimRequest) => {
    const modules = Object.keys(offered).filter(module => allowed.includes(module))
    const values = { sites: [...sites], modules, seenAt: engine.clock.now() }
    await engine.db
      .insert(agentTable)
      .values({ name, ...values })
      .onConflictDoUpdate({ target: agentTable.name, set: values })
  }
  return {
    seen(identity, request) {
      const key = `${identity.name} ${request.agent} ${Object.keys(request.modules).sort().join()}`
      if (noted.has(key)) return
      noted.add(key)
      // An explanation that is a little less exact is no reason to refuse work.
      note(identity, request).catch(error =>
        engine.log('warn', 'An agent could not be noted', { agent: request.agent, error: String(error) }),
      )
      void engine.clock.sleep(noteEveryMs, engine.closing).then(() => noted.delete(key))
    },
  }
}
