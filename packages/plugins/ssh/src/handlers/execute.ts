import type { HandlerContext } from '@contractor/plugin'
import type { Client, ClientChannel } from 'ssh2'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { withMachine } from './connect.ts'

/** Of each output, what a script gets of it, in characters; all of both is an attachment then. */
const mostInAnswer = 64_000
/** More than this is kept nowhere, in bytes. */
const mostBytes = 32 << 20

type Wanted = z.output<(typeof tasks)['execute']['params']>

/** The command's own time begins once one is logged in. It is ended with its connection, as a terminal that is closed. */
export async function execute(
  wanted: Wanted,
  context: HandlerContext,
): Promise<z.input<(typeof tasks)['execute']['result']>> {
  const { timeoutMs } = wanted
  const { rc, signal, stdout, stderr } = await withMachine(
    wanted,
    { signal: context.signal, timeoutMs },
    (client, limit) => runCommand(client, wanted, limit),
  )
  const isLong = stdout.length > mostInAnswer || stderr.length > mostInAnswer
  const all = isLong ? await context.attach('output.txt', `${stdout}\n--- stderr\n${stderr}`) : null
  return { rc, signal, stdout: stdout.slice(-mostInAnswer), stderr: stderr.slice(-mostInAnswer), all }
}

async function runCommand(client: Client, { command, environment, input }: Wanted, limit: AbortSignal) {
  // Most servers refuse variables by the protocol (AcceptEnv of sshd_config): the shell sets them.
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`)
  const channel = await open(client, [...variables, command].join('\n'))
  const [stdout, stderr] = [collect(channel), collect(channel.stderr)]
  const ended = new Promise<{ rc: number | null; signal: string | null }>((resolve, reject) => {
    let end: { rc: number | null; signal: string | null } | undefined
    channel.once('exit', (code: number | null, name?: string) => {
      end = { rc: code, signal: name ?? null }
    })
    channel.once('close', () =>
      end ? resolve(end) : reject(new Error('the connection was closed before the command ended')),
    )
    limit.addEventListener('abort', () => reject(limit.reason), { once: true })
  })
  channel.end(input ?? '')
  const end = await ended
  return { ...end, stdout: stdout(), stderr: stderr() }
}

const open = (client: Client, command: string) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)))
  })

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
