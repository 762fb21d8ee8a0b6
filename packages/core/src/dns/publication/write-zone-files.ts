import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ContractorError } from '@contractor/contract'
import { confMarker, namedConf } from '../named-conf.ts'
import { isNewerSerial } from '../serial.ts'
import { serialOf, zoneMarker } from '../zone-text.ts'
import type { PublishedZone } from './publish-zones.ts'

export interface WriteOptions {
  /** Where the fragment for named goes; `named.conf.contractor` in the folder unless said. */
  namedConf?: string | undefined
  /** The folder as named sees it, for the fragment; its full path unless said. */
  namedDirectory?: string | undefined
  /** Only says what would change. */
  check?: boolean | undefined
}

/** A file that was changed, or would be. */
export interface FileChange {
  readonly file: string
  readonly change: 'new' | 'changed' | 'removed'
  /** Of a zone file. */
  readonly serial?: number
}

interface WantedFile {
  readonly path: string
  readonly text: string
  readonly marker: string
  readonly serial?: number
}

const zoneFile = (name: string) => `${name}.zone`

/**
 * Writes the files that are not so already, and removes zone files of its own that are no zones any more. Each is
 * replaced as a whole: a name server that reads meanwhile has the old one or the new one, also after a loss of power. A
 * file whose serial is newer was written by somebody who published later, and stays. Called under the lock of publishing.
 */
export async function writeZoneFiles(
  zones: readonly PublishedZone[],
  directory: string,
  { namedConf: conf, namedDirectory, check = false }: WriteOptions,
): Promise<FileChange[]> {
  const folder = resolve(directory)
  await requireFolder(folder)
  const wanted: WantedFile[] = zones.map(({ name, serial, text }) => ({
    ...{ path: join(folder, zoneFile(name)), text, serial },
    marker: zoneMarker,
  }))
  const fragment = namedConf(zones, namedDirectory ?? folder)
  wanted.push({ path: resolve(conf ?? join(folder, 'named.conf.contractor')), text: fragment, marker: confMarker })

  const changes: Step[] = []
  for (const file of wanted) {
    const before = await readOwn(file)
    if (before === file.text || (before !== undefined && isNewer(before, file))) continue
    const { path, serial } = file
    const change = before === undefined ? 'new' : 'changed'
    changes.push({ file: path, change, write: file, ...(serial !== undefined && { serial }) })
  }
  const kept = new Set(wanted.map(file => file.path))
  for (const path of await ownZoneFiles(folder)) if (!kept.has(path)) changes.push({ file: path, change: 'removed' })

  if (!check) await apply(changes)
  return changes.map(({ write: _, ...change }) => change)
}

type Step = FileChange & { write?: WantedFile }

/** The fragment comes after the files that it names, and before those go that it names no more. */
async function apply(steps: readonly Step[]): Promise<void> {
  const written = steps.flatMap(({ write }) => write ?? [])
  await replaceFiles(written.filter(file => file.serial !== undefined))
  await replaceFiles(written.filter(file => file.serial === undefined))
  for (const { file, write } of steps) if (!write) await rm(file, { force: true })
}

/** How many files are on their way to the disk at a time. */
const atOnce = 16

async function replaceFiles(files: readonly WantedFile[]): Promise<void> {
  for (let at = 0; at < files.length; at += atOnce) await Promise.all(files.slice(at, at + atOnce).map(replaceFile))
  for (const folder of new Set(files.map(file => dirname(file.path)))) await syncFolder(folder)
}

const isNewer = (before: string, { serial }: WantedFile) => {
  const there = serialOf(before)
  return serial !== undefined && there !== undefined && isNewerSerial(there, serial)
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => error as NodeJS.ErrnoException)
  if (found instanceof Error)
    throw unusable(folder, found.code === 'ENOENT' ? 'does not exist. Make it first' : found.message)
  if (!found.isDirectory()) throw unusable(folder, 'is no folder')
}

/** What stands there; undefined for nothing. A file of somebody else's is not ours to replace. */
async function readOwn({ path, marker }: WantedFile): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw unusable(path, `cannot be read: ${error.message}`)
  })
  if (text === undefined || text.startsWith(marker)) return text
  throw unusable(path, 'was not written by Contractor, and is left as it is. Move it away, or use another folder')
}

async function ownZoneFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.zone')).sort()
  const own: string[] = []
  for (const name of names) {
    const path = join(folder, name)
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.startsWith(`${zoneMarker}\n`)) own.push(path)
  }
  return own
}

async function replaceFile({ path, text }: WantedFile): Promise<void> {
  const beside = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomUUID().slice(0, 8)}`)
  try {
    const file = await open(beside, 'wx', 0o644)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw unusable(path, `cannot be written: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function unusable(path: string, why: string, cause?: unknown): ContractorError {
  const options = cause === undefined ? {} : { cause }
  return new ContractorError('VALIDATION_FAILED', `${path} ${why}`, { issues: [{ path, message: why }] }, options)
}
