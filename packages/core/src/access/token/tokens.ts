import { createHash, randomBytes } from 'node:crypto'
import { type Page, pageRequest, parseInput, type TokenView, tokenInput } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import { token } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { listRows, toPage } from '../../noun/list-rows.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { alreadyExists, notFound } from '../../noun/refuse.ts'
import type { Identity } from './identity.ts'
import { createKnownTokens } from './known-tokens.ts'

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
        await refuseUnknown(tx, { Site: bound.sites })
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
        if (!row) throw alreadyExists('Token', parsed.name)
        await recordEvents(engine, tx, [{ type: 'token.created', by: whoIs(options), subject: parsed.name }])
        return { ...toTokenView(row), secret }
      })
    },
    async find(secret) {
      const hash = hashOf(secret)
      return known.find(hash, () => read(hash))
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await listRows(options.tx ?? engine.db, token, { after, limit }, { key: token.name })
      return toPage(rows, limit, row => row.name, toTokenView)
    },
    async delete(name, options = {}) {
      const gone = await transaction(engine, options, async tx => {
        await notify(tx, 'token')
        const found = await tx.delete(token).where(eq(token.name, name)).returning({ id: token.id })
        const deleted = found.map(() => ({ type: 'token.deleted' as const, by: whoIs(options), subject: name }))
        await recordEvents(engine, tx, deleted)
        return found
      })
      // This process has no need to wait for its own notification.
      known.forget()
      if (!gone.length) throw notFound('Token', name)
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
