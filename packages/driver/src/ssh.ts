import { existsSync, readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { isContractorError } from '@contractor/plugin'
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2'
import { createBreaker } from './breaker.ts'
import { deviceError } from './device-error.ts'
import { fingerprintOf, knownKeys } from './known-hosts.ts'
import type { SshConnection, SshLogin } from './ssh-connection.ts'

export type { Client, SFTPWrapper } from 'ssh2'

/** How long it may take until one is logged in, in milliseconds. */
const readyMs = 30_000
const breaker = createBreaker()

/** Runs with a machine that one is logged in to, and logs out whatever comes of it. Every failure is coded. */
export async function withSsh<T>(
  connection: SshConnection,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  work: (client: Client, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { host, port, jump } = connection
  const name = `${host}:${port}`
  const clients: Client[] = []
  // The work's own time begins once one is logged in.
  let limit = AbortSignal.timeout(2 * readyMs)
  const either = () => AbortSignal.any([signal, limit])
  try {
    const first = await breaker.guard(jump ? `${jump.host}:${jump.port}` : name, () =>
      logIn(jump ?? connection, either(), undefined, clients),
    )
    const client = jump ? await logIn(connection, either(), await tunnel(first, jump, connection), clients) : first
    limit = AbortSignal.timeout(timeoutMs)
    return await work(client, either())
  } catch (error) {
    signal.throwIfAborted()
    if (isContractorError(error)) throw error
    if (limit.aborted) throw deviceError('DEVICE_TIMED_OUT', name, `it came to no end within ${timeoutMs / 1000} s`)
    throw toDeviceError(name, error)
  } finally {
    for (const client of clients.reverse()) client.end().destroy()
  }
}

/** What the agent's own user logs in with, where nothing is given. */
function ownKey(): string | undefined {
  const names = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(one => join(homedir(), '.ssh', one))
  const found = names.find(existsSync)
  return found && readFileSync(found, 'utf8')
}

function credentials({ password, private_key, passphrase }: SshLogin): Partial<ConnectConfig> {
  if (password === null && private_key === null) {
    const privateKey = ownKey()
    const agent = process.env.SSH_AUTH_SOCK
    return { ...(privateKey !== undefined && { privateKey }), ...(agent && { agent }) }
  }
  return {
    ...(password !== null && { password, tryKeyboard: true }),
    ...(private_key !== null && { privateKey: private_key }),
    ...(passphrase !== null && { passphrase }),
  }
}

function logIn(login: SshLogin, signal: AbortSignal, sock: Duplex | undefined, clients: Client[]): Promise<Client> {
  const { host, port, password } = login
  const username = login.username ?? userInfo().username
  const name = `${host}:${port}`
  signal.throwIfAborted()
  const client = new Client()
  clients.push(client)
  return new Promise((resolve, reject) => {
    let untrusted: Error | undefined
    const fail = (error: Error) => reject(untrusted ?? toDeviceError(name, error))
    const onAbort = () => {
      client.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    client.once('ready', () => resolve(client))
    // Also after it is ready: a connection that breaks must not end the agent.
    client.on('error', fail)
    client.once('close', () => fail(new Error('the connection was closed')))
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map(() => password ?? '')),
    )
    const config: ConnectConfig = {
      ...{ host, port, username, readyTimeout: readyMs, keepaliveInterval: 15_000 },
      ...credentials(login),
      ...(sock && { sock }),
      hostVerifier: (key: Buffer) => {
        untrusted = whyUntrusted(login, key)
        return untrusted === undefined
      },
    }
    try {
      client.connect(config)
    } catch (error) {
      // A private key that cannot be read: it says which kind of thing is wrong, and nothing of the key.
      const words = error instanceof Error ? error.message : String(error)
      reject(deviceError('DEVICE_UNAUTHENTICATED', name, `the private key cannot be used: ${words}`))
    }
  })
}

/** Whether a host key is the one that is expected; the failure where it is not, with what to do. */
function whyUntrusted({ host, port, host_key }: SshLogin, key: Buffer): Error | undefined {
  if (host_key === 'any') return undefined
  const seen = fingerprintOf(key)
  const name = `${host}:${port}`
  if (host_key !== null) {
    if (host_key === seen) return undefined
    return deviceError(
      'DEVICE_UNTRUSTED',
      name,
      `its host key is ${seen}, and host_key says ${host_key}: it is another machine, or was set up anew`,
    )
  }
  const known = knownKeys(host, port)
  if (known.some(one => one.equals(key))) return undefined
  const why = known.length ? 'is another one than known_hosts of the agent has' : 'is in no known_hosts of the agent'
  return deviceError(
    'DEVICE_UNTRUSTED',
    name,
    `its host key ${seen} ${why}. If it is the right one, say host_key='${seen}'`,
  )
}

function tunnel(client: Client, jump: SshLogin, { host, port }: SshConnection): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (!error) return resolve(channel)
      const words = `${host}:${port} cannot be reached from it: ${error.message}`
      reject(deviceError('DEVICE_UNREACHABLE', `${jump.host}:${jump.port}`, words))
    })
  })
}

/** What ssh2 throws: `level` says at what it was. */
function toDeviceError(name: string, thrown: unknown): Error {
  if (isContractorError(thrown)) return thrown
  const { level = '', code = '', message } = thrown as Error & { level?: string; code?: string }
  if (level === 'client-authentication')
    return deviceError('DEVICE_UNAUTHENTICATED', name, `it does not take this user, password or key (${message})`)
  if (level === 'client-timeout') return deviceError('DEVICE_TIMED_OUT', name, `it has not let anybody in (${message})`)
  if (/no matching|unsupported/i.test(message))
    return deviceError('DEVICE_UNSUPPORTED', name, `it speaks no SSH that this agent speaks (${message})`)
  if (level === 'client-socket' || /^E[A-Z_]+$/.test(code))
    return deviceError('DEVICE_UNREACHABLE', name, `nothing answers by SSH there (${message})`)
  return deviceError('DEVICE_ANSWER_INVALID', name, message)
}

export interface SshCommand {
  /** By the login shell. */
  command: string
  environment?: Readonly<Record<string, string>>
  /** What it reads on its standard input, which ends then. */
  input?: string | null
}

export interface SshResult {
  /** Its exit code; null where a signal has ended it. */
  rc: number | null
  signal: string | null
  stdout: string
  stderr: string
}

/** More than this of an output is not kept, in bytes. */
const mostBytes = 32 << 20

/** Runs a command to its end. When the limit aborts, it is ended with its connection, as a terminal that is closed. */
export async function runCommand(
  client: Client,
  { command, environment = {}, input = null }: SshCommand,
  limit: AbortSignal,
): Promise<SshResult> {
  // Most servers refuse variables by the protocol (AcceptEnv of sshd_config): the shell sets them.
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`)
  const { channel, ended } = await open(client, [...variables, command].join('\n'), limit)
  const [stdout, stderr] = [collect(channel), collect(channel.stderr)]
  channel.end(input ?? '')
  const end = await ended
  return { ...end, stdout: stdout(), stderr: stderr() }
}

type CommandEnd = Pick<SshResult, 'rc' | 'signal'>

/** Its end is listened for at once: that of a short command comes in one packet with the news that it has begun. */
const open = (client: Client, command: string, limit: AbortSignal) =>
  new Promise<{ channel: ClientChannel; ended: Promise<CommandEnd> }>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) reject(error)
      else resolve({ channel, ended: endOf(channel, limit) })
    })
  })

function endOf(channel: ClientChannel, limit: AbortSignal): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    let end: CommandEnd | undefined
    channel.once('exit', (code: number | null, name?: string) => {
      end = { rc: code, signal: name ?? null }
    })
    const onAbort = () => reject(limit.reason)
    limit.addEventListener('abort', onAbort, { once: true })
    channel.once('close', () => {
      // One login may run many.
      limit.removeEventListener('abort', onAbort)
      if (end) resolve(end)
      else reject(new Error('the connection was closed before the command ended'))
    })
  })
}

/** POSIX: within single quotes everything is itself but the quote. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

function collect(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = []
  let bytes = 0
  stream.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes <= mostBytes) parts.push(part)
  })
  return () => Buffer.concat(parts).toString('utf8')
}

/** Types lines into a shell, as a person does whose terminal shows nothing, and gives all that was written until it ends. */
export async function runShell(client: Client, lines: readonly string[], limit: AbortSignal): Promise<string> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell(false, (error, opened) => (error ? reject(error) : resolve(opened)))
  })
  const [stdout, stderr] = [collect(channel), collect(channel.stderr)]
  const ended = new Promise<void>((resolve, reject) => {
    channel.once('close', () => resolve())
    limit.addEventListener('abort', () => reject(limit.reason), { once: true })
  })
  channel.end(`${lines.join('\n')}\n`)
  await ended
  return `${stdout()}${stderr()}`
}
