import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ContractorError, isContractorError } from '@contractor/contract'
import { parseResourceFile, type ResourceFile } from './resource-file.ts'
import { findTomlLine } from './toml-line.ts'

/** A resource file that has been read. */
export interface Source {
  /** How messages name it. */
  file: string
  text: string
  document: ResourceFile
}

export const parseSource = (text: string, file: string): Source => ({
  ...{ file, text },
  document: parseResourceFile(text, file),
})

/** Files, and of folders the `*.toml` directly in them, by name. RESOURCE_INVALID when one cannot be read. */
export async function readSources(paths: readonly string[]): Promise<Source[]> {
  return Promise.all((await findFiles(paths)).map(readSource))
}

export const readSource = async (file: string): Promise<Source> => parseSource(await readText(file), file)

/** Each file once, and of folders the `*.toml` directly in them, by name. */
export async function findFiles(paths: readonly string[]): Promise<string[]> {
  return [...new Set((await Promise.all(paths.map(filesOf))).flat())]
}

async function filesOf(path: string): Promise<string[]> {
  const isFolder = (await stat(path).catch(error => Promise.reject(unreadable(path, error)))).isDirectory()
  if (!isFolder) return [path]
  const names = (await readdir(path).catch(error => Promise.reject(unreadable(path, error)))).filter(name =>
    name.endsWith('.toml'),
  )
  if (!names.length) {
    const message = `${path} has no resource files: none of its files ends with .toml`
    throw new ContractorError('RESOURCE_INVALID', message, { file: path })
  }
  return names.sort().map(name => join(path, name))
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch(error => Promise.reject(unreadable(file, error)))

function unreadable(file: string, error: unknown): ContractorError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ContractorError('RESOURCE_INVALID', `${file} cannot be read: ${reason}`, { file }, { cause: error })
}

/** An error about something that a file says, told with its place; `key` is the path to it. */
export function placed({ file, text }: Source, key: readonly string[], error: Error, line?: number): ContractorError {
  const found = line ?? findTomlLine(text, key)
  const path = key.join('.')
  const message = `${file}:${found === undefined ? '' : `${found}:`} ${path}: ${error.message}`
  const data = { file, ...(found !== undefined && { line: found }), key: path }
  return new ContractorError('RESOURCE_INVALID', message, data, { cause: error })
}

/** Runs what may refuse something that a file says. */
export function within<T>(source: Source, key: readonly string[], run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw isContractorError(error) ? placed(source, key, error) : error
  }
}
