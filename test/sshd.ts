import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { freePort } from './embedded-postgres.ts'

/** An sshd on loopback that lets this user in with one key, and nothing else; with `command` it runs that, whatever one asks for. */
export interface SshServer {
  readonly port: number
  readonly username: string
  readonly privateKey: string
  /** As `ssh-keygen -lf` shows it. */
  readonly fingerprint: string
  readonly folder: string
  stop(): Promise<void>
}

export async function startSshd({ command }: { command?: string } = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'))
  const file = (name: string) => join(folder, name)
  const keygen = (name: string) => execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
  keygen('host_key')
  keygen('user_key')
  writeFileSync(file('authorized_keys'), readFileSync(file('user_key.pub')))
  for (const name of ['authorized_keys', 'user_key', 'host_key']) chmodSync(file(name), 0o600)
  chmodSync(folder, 0o700)
  const port = await freePort()
  writeFileSync(
    file('sshd_config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${file('host_key')}
AuthorizedKeysFile ${file('authorized_keys')}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
${command === undefined ? 'Subsystem sftp internal-sftp' : `ForceCommand ${command}`}
`,
  )
  // Where sshd keeps its privilege separation, which a machine without it as a service lacks.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  server.stderr.on('data', part => (log += part))
  await vi.waitFor(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => resolve(void socket.destroy()))
        socket.once('error', () => reject(new Error(`sshd does not listen: ${log}`)))
      }),
    { timeout: 10_000 },
  )
  const shown = execFileSync('ssh-keygen', ['-lf', file('host_key.pub')], { encoding: 'utf8' })
  return {
    ...{ port, folder, username: userInfo().username, privateKey: readFileSync(file('user_key'), 'utf8') },
    fingerprint: shown.split(' ')[1] ?? '',
    async stop() {
      const ended = new Promise(resolve => server.once('exit', resolve))
      if (server.exitCode === null) {
        server.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
