import { createHash } from 'node:crypto'
import { deviceError } from '@contractor/driver'
import { z } from 'zod'
import type { FileList } from '../file-list.ts'
import { type Machine, quote } from './machine.ts'

/**
 * Files of ours on a machine, in such a way that a change of them can be taken back, also by whoever comes after one that was cut
 * off in between. What was set up under a NAME is kept in /var/lib/contractor/NAME:
 *
 * - `manifest`: which files are ours, with their checksums. It is written last.
 * - `original/…`: what was in their place before they were ours, if anything.
 * - `attempt/`: while a change is under way, all files that it touches, as they were before. Where it is found, somebody was
 *   cut off, and it is put back before anything else.
 */

const manifest = z.object({
  /** The service that reads them. */
  service: z.string().nullable(),
  files: z.record(z.string(), z.object({ sha256: z.string(), serial: z.number().optional() })),
})
export type Manifest = z.output<typeof manifest>

/** What is on the machine. */
export interface Seen {
  /** Undefined where nothing of that name was set up. */
  manifest: Manifest | undefined
  isInterrupted: boolean
  /** By path: the checksum and mode of what is a file. */
  files: ReadonlyMap<string, { sha256: string; mode: string }>
  /** By the machine's clock, in seconds since the epoch. */
  now: number
}

export interface Change {
  /** What is to be written. */
  written: { path: string; mode: string; content: string }[]
  /** What was ours and is not wanted any more. */
  gone: string[]
  /** As it is to be afterwards. */
  manifest: Manifest
}

const folder = (name: string) => `/var/lib/contractor/${name}`
const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex')

export async function lookAtFiles(machine: Machine, name: string, paths: readonly string[]): Promise<Seen> {
  const all = paths.map(quote).join(' ')
  const home = quote(folder(name))
  const text = await machine.must(
    `
date '+now %s'
if [ -d ${home}/attempt ]; then echo interrupted; fi
${paths.length ? `stat -c 'file %a %F:%n' -- ${all} 2>/dev/null\nsha256sum -- ${all} 2>/dev/null | sed 's/^/sum /'` : ''}
if [ -f ${home}/manifest ]; then sed 's/^/manifest /' ${home}/manifest; fi
true`,
    'its files cannot be looked at',
  )
  const lines = text.split('\n')
  const sums = new Map(lines.flatMap(line => parsePair(line, /^sum ([0-9a-f]{64}) {2}(\/.*)$/)))
  const modes = new Map(lines.flatMap(line => parsePair(line, /^file ([0-7]+) regular[^:]*:(\/.*)$/)))
  const kept = lines.flatMap(line => (line.startsWith('manifest ') ? [line.slice('manifest '.length)] : [])).join('\n')
  return {
    manifest: kept ? parseManifest(machine.name, name, kept) : undefined,
    isInterrupted: lines.includes('interrupted'),
    files: new Map([...modes].map(([path, mode]) => [path, { mode, sha256: sums.get(path) ?? '' }])),
    now: Number(/^now (\d+)$/m.exec(text)?.[1] ?? 0),
  }
}

function parsePair(line: string, pattern: RegExp): [string, string][] {
  const found = pattern.exec(line)
  return found?.[1] !== undefined && found[2] !== undefined ? [[found[2], found[1]]] : []
}

function parseManifest(machine: string, name: string, text: string): Manifest {
  try {
    return manifest.parse(JSON.parse(text))
  } catch {
    const words = `${folder(name)}/manifest is not what was written there. Remove ${folder(name)}, and set it up again`
    throw deviceError('DEVICE_ANSWER_INVALID', machine, words, { retryable: false })
  }
}

/** What has to be done for these files to be there, and no others of ours. */
export function changeTo(files: FileList, service: string | null, seen: Seen): Change {
  const kept: Manifest = { service, files: {} }
  const written: Change['written'] = []
  for (const file of files) {
    const { content, serial } = contentOf(file, seen)
    const sha256 = sha256Of(content)
    kept.files[file.path] = { sha256, ...(serial !== undefined && { serial }) }
    const there = seen.files.get(file.path)
    const mode = file.mode.replace(/^0+(?=[0-7]{3})/, '')
    const isOurs = Object.hasOwn(seen.manifest?.files ?? {}, file.path)
    if (!isOurs || there?.sha256 !== sha256 || there.mode !== mode) written.push({ path: file.path, mode, content })
  }
  const gone = Object.keys(seen.manifest?.files ?? {}).filter(path => !Object.hasOwn(kept.files, path))
  return { written, gone, manifest: kept }
}

/** A serial rises when the rest of its file changes, and never falls, also when a clock does. */
function contentOf(file: FileList[number], { manifest: kept, files, now }: Seen): { content: string; serial?: number } {
  const { path, content, serial: placeholder } = file
  if (placeholder === null) return { content }
  const fill = (serial: number) => ({ content: content.replaceAll(placeholder, String(serial)), serial })
  const last = kept?.files[path]?.serial
  if (last === undefined) return fill(now)
  const same = fill(last)
  return sha256Of(same.content) === files.get(path)?.sha256 ? same : fill(Math.max(now, last + 1))
}

/** Keeps what is there, and writes. A failure leaves `attempt`, for `putBack`. */
export function write(machine: Machine, name: string, { written, gone }: Change, before: Manifest | undefined) {
  const home = quote(folder(name))
  const isNew = (path: string) => !Object.hasOwn(before?.files ?? {}, path)
  const script = `set -e
mkdir -p -m 700 /var/lib/contractor ${home}
mkdir -p ${home}/original
rm -rf ${home}/attempt.new
mkdir ${home}/attempt.new
i=0
there() { [ -e "$1" ] || [ -L "$1" ]; }
keep() {
  if there "$1"; then cp -a -- "$1" ${home}/attempt.new/$i; fi
  printf '%s\\n' "$1" >>${home}/attempt.new/paths
  i=$((i+1))
}
first() {
  rm -rf ${home}/original"$1"
  if there "$1"; then mkdir -p "$(dirname ${home}/original"$1")"; cp -a -- "$1" ${home}/original"$1"; fi
}
put() {
  mkdir -p "$(dirname "$1")"
  (umask 077; base64 -d >"$1.contractor-new")
  chmod "$2" "$1.contractor-new"
  mv -fT -- "$1.contractor-new" "$1"
}
back() {
  rm -f -- "$1"
  if there ${home}/original"$1"; then cp -a -- ${home}/original"$1" "$1"; fi
}
${[...written.map(one => one.path), ...gone].map(path => `keep ${quote(path)}`).join('\n')}
mv -T ${home}/attempt.new ${home}/attempt
${written
  .filter(one => isNew(one.path))
  .map(({ path }) => `first ${quote(path)}`)
  .join('\n')}
${written.map(({ path, mode, content }) => `put ${quote(path)} ${mode} <<'END'\n${base64(content)}\nEND`).join('\n')}
${gone.map(path => `back ${quote(path)}`).join('\n')}`
  return machine.must(script, 'its files cannot be written')
}

/** In lines, as every base64 reads it: a script's line is not to be without end. */
const base64 = (text: string) =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{1,76}/g, '$&\n')
    .trimEnd()

/** Undoes what `write` has done, or has been at. */
export function putBack(machine: Machine, name: string): Promise<string> {
  const home = quote(folder(name))
  return machine.must(
    `set -e
i=0
if [ -f ${home}/attempt/paths ]; then
  while IFS= read -r path; do
    rm -f -- "$path" "$path.contractor-new"
    if [ -e ${home}/attempt/$i ] || [ -L ${home}/attempt/$i ]; then cp -a -- ${home}/attempt/$i "$path"; fi
    i=$((i+1))
  done <${home}/attempt/paths
fi
rm -rf ${home}/attempt`,
    'what was there before cannot be put back',
  )
}

/** From here on the change is what there is. */
export function settle(machine: Machine, name: string, { gone, manifest: kept }: Change): Promise<string> {
  const home = quote(folder(name))
  return machine.must(
    `set -e
mkdir -p -m 700 /var/lib/contractor ${home}
base64 -d >${home}/manifest.new <<'END'
${base64(JSON.stringify(kept))}
END
mv -fT ${home}/manifest.new ${home}/manifest
rm -rf ${home}/attempt${gone.map(path => ` ${home}/original${quote(path)}`).join('')}`,
    'what was set up cannot be kept in mind',
  )
}

/** Takes all files away, puts back what was in their place, and forgets the name. */
export function forget(machine: Machine, name: string, { files }: Manifest): Promise<string> {
  const home = quote(folder(name))
  const each = Object.keys(files).map(quote)
  return machine.must(
    `set -e
back() {
  rm -f -- "$1"
  if [ -e ${home}/original"$1" ] || [ -L ${home}/original"$1" ]; then cp -a -- ${home}/original"$1" "$1"; fi
}
${each.map(path => `back ${path}`).join('\n')}
rm -rf ${home}`,
    'its files cannot be taken away',
  )
}
