import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, realpath, rename, rm, symlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Keeps a directory to one process of a machine, in whatever container it runs, for as long as it lives. Whoever wants it
 * listens on a socket in the directory: the kernel refuses connections to that from the moment when its process ends,
 * however it ends, and it is the same for all namespaces of processes and networks, which process ids and host names are
 * not. (A file with these was believed before: two containers with one host name had one database, and the successor of a
 * container was locked out for ever.) Processes of several machines on one network file system do not see each other.
 *
 * Each has a name of its own, which nobody uses again, so that what is dead can be removed by anybody. It appears when its
 * process listens already. Whoever has put up its name looks for others: of two that are both there, at least the later one
 * sees the other. Of those that have not got it yet, the one whose name comes first stays.
 */
export interface DirectoryLock {
  release(): Promise<void>
}

/** What `lockDirectory` throws when another process has it: named by its id, as that process sees it, where it says so. */
export type InUse = (holder: string) => Error

interface Answer {
  id?: string
  pid?: number
  isHeld: boolean
}

const pattern = /^\.contractor-([0-9a-f]{12})\.lock$/
const lookAgainMs = 20
const mostTries = 50
/** How long a process may take to answer that has accepted; one that stands still has it all the same. */
const answerMs = 1_000
/** What a socket's path may be, in bytes, on every system (unix(7): 107 on Linux, 103 on macOS). */
const longestPath = 100

export function lockDirectory(directory: string, inUse: InUse, platform = process.platform): Promise<DirectoryLock> {
  return platform === 'win32' ? lockByPipe(directory, inUse) : lockBySocket(directory, inUse)
}

async function lockBySocket(directory: string, inUse: InUse): Promise<DirectoryLock> {
  const short = await shorten(directory)
  try {
    for (;;) {
      const own = await putUp(directory, short.path)
      const other = await findWinner(short.path, own).catch(async error => {
        await own.release()
        throw error
      })
      if (!other) return own
      await own.release()
      if (other.isHeld) throw inUse(other.pid === undefined ? 'another process' : `process ${other.pid}`)
      await delay(lookAgainMs)
    }
  } finally {
    await short.remove()
  }
}

interface OwnSocket extends DirectoryLock {
  id: string
  hold(): void
}

async function putUp(directory: string, path: string): Promise<OwnSocket> {
  const id = randomUUID().replaceAll('-', '').slice(0, 12)
  let isHeld = false
  const server = createServer(visitor => {
    visitor.on('error', () => undefined)
    visitor.end(JSON.stringify({ id, pid: process.pid, isHeld } satisfies Answer))
  })
  const early = `.contractor-${id}.new`
  await listen(server, join(path, early))
  await rename(join(path, early), join(path, nameOf(id)))
  return {
    id,
    hold() {
      isHeld = true
    },
    async release() {
      await rm(join(directory, nameOf(id)), { force: true })
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}

const nameOf = (id: string) => `.contractor-${id}.lock`

/** Nobody when it is held by us from now on. */
async function findWinner(path: string, own: OwnSocket): Promise<Answer | undefined> {
  for (;;) {
    let isAlone = true
    for (const name of await readdir(path)) {
      const [, id] = pattern.exec(name) ?? []
      if (id === undefined || id === own.id) continue
      const answer = await ask(join(path, name))
      if (!answer) await rm(join(path, name), { force: true })
      else if (answer.isHeld || id < own.id) return answer
      else isAlone = false
    }
    if (isAlone) {
      own.hold()
      return undefined
    }
    await delay(lookAgainMs)
  }
}

/** Undefined when its process is gone. One that breaks off is just going: it is asked again. */
async function ask(path: string): Promise<Answer | undefined> {
  for (let tries = 1; tries <= mostTries; tries++) {
    const answer = await askOnce(path)
    if (answer !== 'broken off') return answer
    await delay(lookAgainMs)
  }
  return { isHeld: true }
}

function askOnce(path: string): Promise<Answer | undefined | 'broken off'> {
  return new Promise(resolve => {
    let said = ''
    const socket = connect(path)
    const end = (answer: Answer | undefined | 'broken off') => {
      resolve(answer)
      socket.destroy()
    }
    socket.setEncoding('utf8')
    socket.setTimeout(answerMs, () => end({ isHeld: true }))
    socket.on('data', text => {
      said += text
    })
    socket.on('end', () => end(parse(said)))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (/^(ECONNREFUSED|ENOENT|ENOTSOCK)$/.test(error.code ?? '')) return end(undefined)
      end(/^(ECONNRESET|EPIPE)$/.test(error.code ?? '') ? 'broken off' : { isHeld: true })
    })
  })
}

function parse(text: string): Answer | 'broken off' {
  if (!text) return 'broken off'
  try {
    return JSON.parse(text) as Answer
  } catch {
    return { isHeld: true }
  }
}

/** A path to the directory that is short enough for sockets. */
async function shorten(directory: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(join(directory, nameOf('0'.repeat(12)))) <= longestPath)
    return { path: directory, remove: async () => undefined }
  const folder = await mkdtemp(join(tmpdir(), 'contractor-'))
  const path = join(folder, 'd')
  await symlink(await realpath(directory), path)
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Windows has pipes instead, whose names are the machine's; they end with their process as well. */
async function lockByPipe(directory: string, inUse: InUse): Promise<DirectoryLock> {
  const name = createHash('sha256')
    .update((await realpath(directory)).toLowerCase())
    .digest('hex')
    .slice(0, 32)
  const server = createServer(visitor => visitor.destroy())
  await listen(server, `\\\\.\\pipe\\contractor-${name}`).catch(error => {
    throw error.code === 'EADDRINUSE' ? inUse('another process') : error
  })
  return { release: () => new Promise(resolve => server.close(() => resolve())) }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resolve()
    })
  })
}
