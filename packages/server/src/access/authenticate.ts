import { ContractorError, type Permission } from '@contractor/contract'
import type { Contractor, Identity } from '@contractor/core'
import type { Context, MiddlewareHandler } from 'hono'
import type { Environment } from '../http/environment.ts'

/** Who is asking, by the bearer token. Tokens are found by their hash, so a comparison tells nothing by its time. */
export async function authenticate(contractor: Contractor, c: Context<Environment>): Promise<Identity> {
  const [, secret] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(c.req.header('Authorization') ?? '') ?? []
  if (!secret) {
    throw new ContractorError(
      'UNAUTHENTICATED',
      'A bearer token is needed: send the header Authorization: Bearer TOKEN',
      {},
    )
  }
  const identity = await contractor.tokens.find(secret)
  if (identity) return identity
  throw new ContractorError('UNAUTHENTICATED', 'The bearer token is not known here: it is wrong, or was deleted', {})
}

/** Lets those pass who may: each route has one of these, as its declaration says. */
export function requirePermission(contractor: Contractor, allow: Permission): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const identity = await authenticate(contractor, c)
    if (identity.kind !== allow) {
      throw new ContractorError(
        'FORBIDDEN',
        `Token '${identity.name}' is an ${identity.kind}'s token; an ${allow}'s token is needed here`,
        { needs: allow },
      )
    }
    c.set('identity', identity)
    await next()
  }
}
