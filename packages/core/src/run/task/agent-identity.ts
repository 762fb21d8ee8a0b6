/** What an agent's token allows it: decided by the server, never by the agent. */
export interface AgentIdentity {
  /** The token's name. */
  name: string
  /** Sites, each with all below it; `everySite` for all that there are. */
  sites: readonly string[]
  modules: readonly string[]
}

/** In place of a Site: none has such a name, and no token can have it. */
export const everySite = '*'
