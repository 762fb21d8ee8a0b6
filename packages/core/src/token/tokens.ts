import { createHash, randomBytes } from 'node:crypto'
import { ContractorError, parseInput } from '@contractor/plugin'
import { asc, eq, gt } from 'drizzle-orm'
import { z } from 'zod'
import { token } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { type Page, pageRequest, plainName, toPage } from '../name.ts'
import { requireSite } from '../site/sites.ts'
import type { AgentIdentity } from '../task/agent-identity.ts'
import { createKnownTokens } from './known-tokens.ts'

/** A bearer token is either an admin's, or an agent's: bound to Sites (each with all below it) and modules. */
export const tokenInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('admin'), name: plainName }),
  z.strictObject({
    kind: z.literal('agent'),
    name: plainName,
    sites: z.array(plainName).min(1, 'at least one Site is needed'),
    modules: z.array(z.string()).min(1, 'at least one module is needed'),
  }),
])

export const tokenView = z.object({
  name: z.string(),
  kind: z.enum(['admin', 'agent']),
  sites: z.array(z.string()),
  modules: z.array(z.string()),
  createdAt: z.iso.datetime(),
})
export type TokenView = z.output<typeof tokenView>

export type Identity = { kind: 'admin'; name: string } | ({ kind: 'agent' } & AgentIdentity)

export interface Tokens {
  /** The secret is told here and never again: only its hash is kept. `secret` sets one that is known already. */
  create(
    input: z.input<typeof tokenInput>,
    options?: CallOptions & { secret?: string },
  ): Promise<TokenView & { secret: string }>
  /** Who a secret belongs to; undefined when it is nobody's. */
  find(secret: string): Promise<Identity | undefined>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<TokenView>>
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createTokens(engine: Engine): Tokens {
  const known = createKnownTokens(engine)
  const read = async (hash: string): Promise<Identity | undefined> => {
    const [row] = await engine.db.select().from(token).where(eq(token.hash, hash))
    if (!row) return undefined
    return row.kind === 'admin'
      ? { kind: 'admin', name: row.name }
      : { kind: 'agent', name: row.name, sites: row.sites, modules: row.modules }
  }
  return surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(tokenInput, input, 'The token')
      const secret = options.secret ?? `ctr_${randomBytes(32).toString('base64url')}`
      return transaction(engine, options, async tx => {
        const bound =
          parsed.kind === 'agent' ? { sites: parsed.sites, modules: parsed.modules } : { sites: [], modules: [] }
        for (const site of bound.sites) await requireSite(tx, site)
        const [row] = await tx
          .insert(token)
          .values({
            name: parsed.name,
            kind: parsed.kind,
            hash: hashOf(secret),
            ...bound,
            createdAt: engine.clock.now(),
          })
          .onConflictDoNothing()
          .returning()
        if (!row)
          throw new ContractorError('ALREADY_EXISTS', `A token '${parsed.name}' exists already`, {
            kind: 'token',
            id: parsed.name,
          })
        return { ...toTokenView(row), secret }
      })
    },
    async find(secret) {
      const hash = hashOf(secret)
      return known.find(hash, () => read(hash))
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(token)
        .where(after === undefined ? undefined : gt(token.name, after))
        .orderBy(asc(token.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toTokenView)
    },
    async delete(name, options = {}) {
      const gone = await transaction(engine, options, async tx => {
        await notify(tx, 'token')
        return tx.delete(token).where(eq(token.name, name)).returning({ id: token.id })
      })
      // This process has no need to wait for its own notification.
      known.forget()
      if (!gone.length)
        throw new ContractorError('NOT_FOUND', `Token '${name}' does not exist`, { kind: 'token', id: name })
    },
  })
}

/** Secrets are 256 random bits, so a plain hash is enough: there is nothing to guess. The look-up by hash tells no timing. */
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

function toTokenView(row: typeof token.$inferSelect): TokenView {
  return {
    name: row.name,
    kind: row.kind,
    sites: row.sites,
    modules: row.modules,
    createdAt: row.createdAt.toISOString(),
  }
}
