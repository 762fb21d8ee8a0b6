import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { ContractorError } from '@contractor/plugin'

export interface ProgramOptions {
  /** Ends it, with all that it has started. */
  signal: AbortSignal
  /** How long it may take, in milliseconds; then it is killed. */
  timeoutMs: number
  /** What it reads on its standard input. */
  input?: string
  /**
   * What nobody may see: given to it through pipes, which it reads as files, the first as `/dev/fd/3`. Neither `ps` nor a disk
   * has them, and where it repeats one in its output, that is `***`.
   */
  secrets?: readonly string[]
  /** Texts that it reads as files too: they come after the secrets, and may be seen. */
  files?: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Of each of its two outputs; 4 MiB unless said. */
  mostBytes?: number
  /** How to get it where it is missing: `install the Debian package ipmitool there`. */
  remedy: string
}

export interface ProgramResult {
  /** Its exit code; null when a signal has ended it, or this agent has. */
  code: number | null
  stdout: string
  stderr: string
  /** Its time was over. */
  isLate: boolean
}

/**
 * Runs a program to its end, without a shell. Resolves however it ends; throws PROGRAM_MISSING, the signal's reason when it is
 * aborted, and DEVICE_ANSWER_INVALID for more output than it may have. It is killed with its whole process group: some
 * programs start others, which would go on.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { signal, timeoutMs, input = '', secrets = [], files = [], env, mostBytes = 4 << 20, remedy }: ProgramOptions,
): Promise<ProgramResult> {
  signal.throwIfAborted()
  // A secret among the arguments is a mistake of the driver, which a test of it sees.
  if (secrets.some(secret => secret && args.some(arg => arg.includes(secret))))
    throw new Error(`The command line of ${program} would show a secret`)
  const piped = [...secrets, ...files]
  const [command = program, ...rest] = piped.length
    ? ['sh', '-c', pipeline(piped.length), 'sh', program, ...args]
    : [program, ...args]
  const child = spawn(command, rest, {
    detached: true,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['pipe', 'pipe', 'pipe', ...piped.map(() => 'pipe' as const)],
  })
  const kill = () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, timeoutMs)
  signal.addEventListener('abort', kill, { once: true })
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    feed(child.stdin, input)
    for (const [at, text] of piped.entries()) feed(child.stdio[3 + at] as Writable, text)
    const [code, stdout, stderr] = await Promise.all([
      ended,
      collect(child.stdout as Readable, mostBytes, kill),
      collect(child.stderr as Readable, mostBytes, kill),
    ])
    signal.throwIfAborted()
    if (stdout === undefined || stderr === undefined) {
      const message = `${program} has written more than ${mostBytes} bytes, which is no answer`
      throw new ContractorError('DEVICE_ANSWER_INVALID', message, { device: program }, { retryable: true })
    }
    if (piped.length && code === 127 && /not found/.test(stderr)) throw missing(program, remedy)
    const hide = (text: string) =>
      secrets.filter(Boolean).reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
    return { code: isLate ? null : code, stdout: hide(stdout), stderr: hide(stderr), isLate }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(program, remedy) : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
    kill()
  }
}

/**
 * A script for sh that runs its arguments with pipes from which they read as many texts. What Node gives a child is a socket,
 * which cannot be opened by the name /dev/fd/3: so `cat` passes it on. 9 is what the program has as its standard input.
 */
function pipeline(texts: number): string {
  const ends = Array.from({ length: texts }, (_, at) => 3 + at)
  const inner = ends.reduceRight((rest, fd) => `cat <&${fd} 9<&- | { exec ${fd}<&0; ${rest}; }`, 'exec "$@" 0<&9 9<&-')
  return `exec 9<&0; ${inner}`
}

const missing = (program: string, remedy: string) =>
  new ContractorError('PROGRAM_MISSING', `The agent's machine has no program '${program}': ${remedy}`, { program })

/** A program that ends before it has read all is no failure of this one: its own end tells. */
function feed(stream: Writable | null | undefined, text: string): void {
  stream?.on('error', () => undefined)
  stream?.end(text)
}

/** As UTF-8; nothing when it is too much, and the program is ended then. */
async function collect(stream: Readable, mostBytes: number, kill: () => void): Promise<string | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > mostBytes) {
      kill()
      return undefined
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
