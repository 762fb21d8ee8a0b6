import { createHash } from 'node:crypto'
import { deviceError } from '@contractor/driver'
import { type Client, type SFTPWrapper, withSsh } from '@contractor/driver/ssh'
import { ContractorError, type HandlerContext, taskFailed } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'

/** Of a file, what a script gets of it, in characters; all of it is an attachment then. */
const mostInAnswer = 64_000
/** Larger files are refused: they are for the machine itself to fetch, in bytes. */
const mostBytes = 64 << 20

type Put = z.output<(typeof tasks)['put']['params']>
type Get = z.output<(typeof tasks)['get']['params']>

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export async function put(wanted: Put, { signal }: HandlerContext): Promise<z.input<(typeof tasks)['put']['result']>> {
  const { destination, timeoutMs, sha256: expected, mode } = wanted
  const bytes =
    wanted.source === null ? Buffer.from(wanted.content ?? '') : await download(wanted.source, signal, timeoutMs)
  const sha256 = sha256Of(bytes)
  if (expected !== null && expected !== sha256)
    throw taskFailed(`What is to be ${destination} has the checksum ${sha256}, and not ${expected}`)
  return withSsh(wanted, { signal, timeoutMs }, async client => {
    const name = `${wanted.host}:${wanted.port}`
    const sftp = await openSftp(client)
    const before = await readFile(sftp, destination).catch(() => undefined)
    const isSame = before !== undefined && sha256Of(before) === sha256
    // Beside it, so that the move is one step, and the file is never half written to whoever reads it.
    const beside = `${destination}.contractor-${sha256.slice(0, 12)}`
    if (!isSame) await replace(sftp, name, beside, destination, bytes, mode)
    else if (mode !== null)
      await step(name, destination, done => sftp.chmod(destination, Number.parseInt(mode, 8), done))
    if (sha256Of(await readFile(sftp, destination)) !== sha256)
      throw deviceError('DEVICE_ANSWER_INVALID', name, `${destination} is not what was written`)
    return { changed: !isSame, sha256, sizeBytes: bytes.length }
  })
}

async function replace(
  sftp: SFTPWrapper,
  name: string,
  beside: string,
  destination: string,
  bytes: Buffer,
  mode: string | null,
): Promise<void> {
  const permissions = mode === null ? undefined : Number.parseInt(mode, 8)
  try {
    await step(name, beside, done =>
      sftp.writeFile(beside, bytes, permissions === undefined ? {} : { mode: permissions }, done),
    )
    // The mode of a write is less the machine's umask.
    if (permissions !== undefined) await step(name, beside, done => sftp.chmod(beside, permissions, done))
    await step(name, destination, done => sftp.ext_openssh_rename(beside, destination, done))
  } catch (error) {
    await new Promise<void>(resolve => sftp.unlink(beside, () => resolve()))
    throw error
  }
}

export async function get(
  wanted: Get,
  { signal, attach }: HandlerContext,
): Promise<z.input<(typeof tasks)['get']['result']>> {
  const { path, timeoutMs, host, port } = wanted
  const bytes = await withSsh(wanted, { signal, timeoutMs }, async client => {
    const sftp = await openSftp(client)
    return step<Buffer>(
      `${host}:${port}`,
      path,
      done => void readFile(sftp, path).then(read => done(undefined, read), done),
    )
  })
  const text = bytes.toString('utf8')
  const all =
    text.length > mostInAnswer
      ? await attach(path.split('/').at(-1) ?? 'file', bytes, { contentType: 'application/octet-stream' })
      : null
  return {
    content: text.slice(0, mostInAnswer).replaceAll('\0', '\uFFFD'),
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
    all,
  }
}

const openSftp = (client: Client) =>
  new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)))
  })

function readFile(sftp: SFTPWrapper, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sftp.stat(path, (error, { size } = { size: 0 } as never) => {
      if (error) return reject(error)
      if (size > mostBytes) return reject(taskFailed(`${path} has ${size} bytes; ${mostBytes} at the most are read`))
      sftp.readFile(path, (failed, bytes) => (failed ? reject(failed) : resolve(bytes)))
    })
  })
}

/** Status codes of SFTP (draft-ietf-secsh-filexfer-02, section 7). */
const status = { noSuchFile: 2, permissionDenied: 3 } as const

function step<T = void>(
  name: string,
  path: string,
  run: (done: (error?: unknown, value?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => {
      if (!error) return resolve(value as T)
      const { code, message } = error as Error & { code?: number }
      if (error instanceof ContractorError) return reject(error)
      if (code === status.noSuchFile)
        return reject(
          new ContractorError('NOT_FOUND', `${name}: there is no ${path}, or no folder for it`, {
            kind: 'file',
            id: path,
          }),
        )
      if (code === status.permissionDenied)
        return reject(deviceError('DEVICE_REFUSED', name, `its user may not do that with ${path} (${message})`))
      // SFTP has no code of its own for a full disk: OpenSSH says "Failure".
      const words =
        code === 4 ? `${path} cannot be written or read; its disk may be full (${message})` : `${path}: ${message}`
      reject(deviceError('DEVICE_REFUSED', name, words))
    })
  })
}

async function download(source: string, signal: AbortSignal, timeoutMs: number): Promise<Buffer> {
  try {
    const response = await fetch(source, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
    if (!response.ok)
      throw taskFailed(`${source} answers ${response.status} ${response.statusText}`, {
        retryable: response.status >= 500,
      })
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const part of response.body ?? []) {
      bytes += part.length
      if (bytes > mostBytes) throw taskFailed(`${source} has more than ${mostBytes} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ContractorError) throw error
    const { cause, message } = error as Error & { cause?: Error }
    throw taskFailed(`${source} cannot be read: ${cause?.message ?? message}`, { retryable: true, cause: error })
  }
}
