import { type Contractor, ContractorError } from '@contractor/core'
import type { MiddlewareHandler } from 'hono'
import type { Environment } from './environment.ts'

/** Who is asking, by the bearer token. Tokens are found by their hash, so a comparison tells nothing by its time. */
export function authenticate(contractor: Contractor): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const [, secret] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(c.req.header('Authorization') ?? '') ?? []
    if (!secret) {
      throw new ContractorError(
        'UNAUTHENTICATED',
        'A bearer token is needed: send the header Authorization: Bearer TOKEN',
        {},
      )
    }
    const identity = await contractor.tokens.find(secret)
    if (!identity)
      throw new ContractorError(
        'UNAUTHENTICATED',
        'The bearer token is not known here: it is wrong, or was deleted',
        {},
      )
    c.set('identity', identity)
    await next()
  }
}

export function requireKind(kind: 'admin' | 'agent'): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const { identity } = c.var
    if (identity.kind !== kind) {
      throw new ContractorError(
        'FORBIDDEN',
        `Token '${identity.name}' is ${article(identity.kind)} token; ${article(kind)} token is needed here`,
        {
          needs: kind,
        },
      )
    }
    await next()
  }
}

const article = (kind: string) => `an ${kind}'s`
