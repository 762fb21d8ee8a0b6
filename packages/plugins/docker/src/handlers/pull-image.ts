import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type Docker from 'dockerode'
import type { RegistryLogin } from '../connection.ts'
import { type Daemon, toDeviceError } from './daemon.ts'

/** A pull may be quiet for long while it unpacks, and is over after an hour. */
const pullMs = 3_500_000

/** The image's id; undefined where the daemon has none of that very name. */
export async function findImage(daemon: Daemon, image: string): Promise<string | undefined> {
  try {
    return (
      await daemon.ask(abortSignal => daemon.api.getImage(image).inspect({ abortSignal } as Docker.ImageInspectOptions))
    ).Id
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** One line of the stream that a pull answers with. */
interface PullLine {
  error?: string
  status?: string
  id?: string
  progressDetail?: { current?: number; total?: number }
}

/** Pulls it; a failure comes within the stream, after the answer was 200. Without a tag or digest, Docker would take all tags. */
export async function pullImage(
  daemon: Daemon,
  image: string,
  login: RegistryLogin | null,
  { progress }: Pick<HandlerContext, 'progress'>,
): Promise<string> {
  const name = /[:@][^/]*$/.test(image) ? image : `${image}:latest`
  const isOurs = login !== null && (login.registry === 'docker.io' || image.startsWith(`${login.registry}/`))
  const authconfig = isOurs
    ? { username: login.username, password: login.password, serveraddress: login.registry }
    : undefined
  await daemon.ask(async abortSignal => {
    const stream = await daemon.api.pull(name, {
      abortSignal,
      ...(authconfig && { authconfig }),
    })
    await followPull(daemon, name, stream as NodeJS.ReadableStream & AsyncIterable<Buffer>, progress)
  }, pullMs)
  const id = await findImage(daemon, image)
  if (id !== undefined) return id
  throw new ContractorError('NOT_FOUND', `${daemon.name}: ${name} was pulled, and is not there`, {
    kind: 'image',
    id: image,
  })
}

async function followPull(
  daemon: Daemon,
  name: string,
  stream: AsyncIterable<Buffer>,
  progress: HandlerContext['progress'],
): Promise<void> {
  const layers = new Map<string, number>()
  let rest = ''
  const take = (text: string) => {
    if (!text.trim()) return
    const line = JSON.parse(text) as PullLine
    if (line.error !== undefined) throw notPulled(daemon, name, line.error)
    const { current, total } = line.progressDetail ?? {}
    if (line.id && /complete|already exists/i.test(line.status ?? '')) layers.set(line.id, 1)
    else if (line.id && current !== undefined && total) layers.set(line.id, Math.min(0.99, current / total))
    if (!layers.size) return
    const done = [...layers.values()].reduce((sum, part) => sum + part, 0) / layers.size
    progress(Math.round(100 * done), `Pulling ${name}: ${line.status ?? ''}`.trim())
  }
  for await (const part of stream) {
    const lines = (rest + part.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
  take(rest)
}

function notPulled(daemon: Daemon, name: string, words: string) {
  if (/not found|manifest unknown|does not exist/i.test(words))
    return new ContractorError('NOT_FOUND', `${daemon.name}: there is no image ${name} (${words})`, {
      kind: 'image',
      id: name,
    })
  return toDeviceError(daemon.name, { statusCode: 500, json: { message: `${name} cannot be pulled: ${words}` } })
}
