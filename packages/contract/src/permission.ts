/**
 * Who may do something: `admin` everything that operators do, `agent` what SubContractors ask of the engine. Each method
 * and each route says it of itself; one that says nothing does not exist.
 */
export const permissions = ['admin', 'agent'] as const
export type Permission = (typeof permissions)[number]
