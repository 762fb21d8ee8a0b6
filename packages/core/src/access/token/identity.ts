import type { AgentIdentity } from '../../run/task/agent-identity.ts'

/** Who a token belongs to. */
export type Identity = { kind: 'admin'; name: string } | ({ kind: 'agent' } & AgentIdentity)
