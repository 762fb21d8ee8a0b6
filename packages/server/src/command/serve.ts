import { type Contractor, createContractor, isContractorError } from '@contractor/core'
import { createServer } from '../create-server.ts'
import { type Listening, listen } from '../http/listen.ts'
import { loadPlugins } from './load-plugins.ts'
import { secretKeys } from './secret-keys.ts'
import { writeLog } from './write-log.ts'

export interface ServeOptions {
  database: string
  host: string
  port: number
  plugin: string[]
  url?: string
  /** Seconds. */
  lease: number
  keepDays: number
  trustedProxy: string[]
  pxeUrl?: string
}

/** Runs a server until the signal aborts: SIGTERM or SIGINT, for the command. */
export async function runServer(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const plugins = await loadPlugins(options.plugin)
  let listening: Listening | undefined
  const contractor = await createContractor({
    database: options.database,
    plugins,
    ...secretKeys(),
    leaseMs: options.lease * 1000,
    retentionDays: options.keepDays,
    ...(options.pxeUrl !== undefined && { pxeUrl: options.pxeUrl }),
    log: writeLog,
    url: () => options.url ?? listening?.url ?? '',
  })
  try {
    await provideAdminToken(contractor)
    const closing = new AbortController()
    listening = await listen(
      createServer(contractor, { signal: closing.signal, trustedProxies: options.trustedProxy }),
      options,
    )
    // The one line that another program may wait for and read.
    process.stdout.write(`Contractor is listening on ${listening.url}, database: ${contractor.databaseName}\n`)
    await new Promise<void>(resolve =>
      signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    closing.abort()
    await listening.close()
  } finally {
    await contractor.close()
  }
}

/**
 * Somebody has to be let in first: the token in CONTRACTOR_ADMIN_TOKEN becomes the admin token of the command, in place
 * of an earlier one; without it, a database that has no admin token gets one, which is printed this once.
 */
async function provideAdminToken({ tokens }: Contractor): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await provideOnce(tokens, process.env.CONTRACTOR_ADMIN_TOKEN)
    } catch (error) {
      // Another server that starts just now was faster.
      const isOvertaken = isContractorError(error, 'ALREADY_EXISTS') || isContractorError(error, 'NOT_FOUND')
      if (!isOvertaken || attempt === 5) throw error
    }
  }
}

async function provideOnce(tokens: Contractor['tokens'], given: string | undefined): Promise<void> {
  const name = 'admin'
  if (given && (await tokens.find(given))?.kind === 'admin') return
  const { items } = await tokens.list({ limit: 1000 })
  if (given) {
    if (items.some(token => token.name === name)) await tokens.delete(name)
    await tokens.create({ kind: 'admin', name }, { secret: given, by: 'command' })
  } else if (!items.some(token => token.kind === 'admin')) {
    const { secret } = await tokens.create({ kind: 'admin', name }, { by: 'command' })
    process.stdout.write(`Admin token (told this once): ${secret}\n`)
  }
}
