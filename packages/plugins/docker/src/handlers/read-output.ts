import { PassThrough } from 'node:stream'
import type { Attachment, HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import type { Daemon } from './daemon.ts'
import { getOwn } from './find-container.ts'

/** Of an output, what a script gets of it in characters; all of it is an attachment then. */
const mostInAnswer = 64_000
/** More than this is no output to read, in bytes. */
const mostBytes = 32 << 20

export async function readLogs(daemon: Daemon, name: string, tail: number): Promise<string> {
  const { Id } = await getOwn(daemon, name)
  const bytes = await daemon.ask(abortSignal =>
    daemon.api.getContainer(Id).logs({ stdout: true, stderr: true, tail, follow: false, abortSignal }),
  )
  return demultiplex(bytes as Buffer)
}

/** Each frame has eight bytes of head: which output, and how long (Docker Engine API, "Stream format"). */
function demultiplex(bytes: Buffer): string {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4)
    parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}

export async function answerWith(
  output: string,
  name: string,
  { attach }: Pick<HandlerContext, 'attach'>,
): Promise<{ output: string; all: Attachment | null }> {
  if (output.length <= mostInAnswer) return { output, all: null }
  return { output: output.slice(-mostInAnswer), all: await attach(name, output) }
}

export async function executeIn(
  daemon: Daemon,
  { name, command, timeoutMs }: z.output<(typeof tasks)['execute']['params']>,
): Promise<{ rc: number; output: string }> {
  const { Id } = await getOwn(daemon, name)
  return daemon.ask(async abortSignal => {
    const exec = await daemon.api
      .getContainer(Id)
      .exec({ Cmd: command, AttachStdout: true, AttachStderr: true, abortSignal })
    const stream = await exec.start({ hijack: true, stdin: false, abortSignal })
    const both = new PassThrough()
    daemon.api.modem.demuxStream(stream, both, both)
    stream.once('end', () => both.end())
    stream.once('error', error => both.destroy(error))
    abortSignal.addEventListener('abort', () => stream.destroy(new Error('aborted')), { once: true })
    const parts: Buffer[] = []
    let bytes = 0
    for await (const part of both) {
      bytes += part.length
      if (bytes <= mostBytes) parts.push(part)
    }
    const { ExitCode } = await exec.inspect({ abortSignal })
    return { rc: ExitCode ?? -1, output: Buffer.concat(parts).toString('utf8') }
  }, timeoutMs)
}
