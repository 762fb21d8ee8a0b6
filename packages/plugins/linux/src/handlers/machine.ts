import { deviceError, type SshConnection } from '@contractor/driver'
import { runCommand, type SshResult, withSsh } from '@contractor/driver/ssh'

/** A machine that one is logged in to, and where one is root. */
export interface Machine {
  /** As messages call it. */
  readonly name: string
  /**
   * Runs a script of /bin/sh as root, whatever it ends with. It comes by the standard input, so nobody sees it among the
   * processes of the machine; what it runs reads nothing.
   */
  run(script: string): Promise<SshResult>
  /** The same; another end than a good one is DEVICE_REFUSED: what was wanted, and what the machine has said. */
  must(script: string, wanted: string): Promise<string>
}

type Login = SshConnection & { timeoutMs: number }

/** Not every login has these (the quirk `path-without-sbin`); and messages are read by their words. */
const environment = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive
umask 022`
const asRoot = `/bin/sh -c 'if [ "$(id -u)" = 0 ]; then exec /bin/sh -s; fi; exec sudo -n /bin/sh -s'`

export function withMachine<T>(login: Login, signal: AbortSignal, work: (machine: Machine) => Promise<T>): Promise<T> {
  const name = `${login.host}:${login.port}`
  return withSsh(login, { signal, timeoutMs: login.timeoutMs }, async (client, limit) => {
    const run = async (script: string) => {
      // As one command: it is read to its end before it begins, and what it runs cannot take the rest for its own input.
      const input = `${environment}\n{\n${script}\n} </dev/null\n`
      const ended = await runCommand(client, { command: asRoot, input }, limit)
      if (ended.rc !== 0 && /(^|: )sudo: /m.test(ended.stderr))
        throw deviceError(
          'DEVICE_REFUSED',
          name,
          `its user '${login.username ?? 'of the agent'}' may not become root (${said(ended)}). Let it use sudo without a password, or log in as root`,
        )
      return ended
    }
    return work({
      name,
      run,
      async must(script, wanted) {
        const ended = await run(script)
        if (ended.rc === 0) return ended.stdout
        throw refused(name, wanted, ended)
      },
    })
  })
}

export function refused(name: string, wanted: string, ended: SshResult, more = ''): Error {
  const full = /No space left on device|don't have enough free space/.test(`${ended.stdout}${ended.stderr}`)
  return deviceError(full ? 'DEVICE_FULL' : 'DEVICE_REFUSED', name, `${wanted}: ${said(ended)}${more}`)
}

/** What a command has written, its end, errors before all else. */
export function said({ rc, signal, stdout, stderr }: SshResult): string {
  const words = (stderr.trim() || stdout.trim()).slice(-2000)
  return words || (signal === null ? `it ended with ${rc}` : `it was ended by ${signal}`)
}

/** A command by a shell of its own, and by another user where one is said; like all else, not among the processes of the machine. */
export const shell = (command: string, user = 'root') =>
  `${user === 'root' ? '' : `runuser -u ${user} -- `}/bin/sh -s <<'CONTRACTOR_END'
{
${command}
} </dev/null
CONTRACTOR_END`

/** POSIX: within single quotes everything is itself but the quote. */
export const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
