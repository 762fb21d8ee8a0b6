import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Terminal } from './terminal.ts'

const REASONS: { [code: string]: string } = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
  ENOTDIR: 'there is no such file',
}

/** The text of a file, `-` being standard input; undefined, and a message, where it cannot be read. */
export async function readSource(file: string, terminal: Terminal): Promise<string | undefined> {
  try {
    return file === '-' ? await text(terminal.input) : await readFile(file, 'utf8')
  } catch (error) {
    terminal.err(`tscript: ${file}: ${reasonOf(error)}\n`)
    return undefined
  }
}

export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return REASONS[code ?? ''] ?? message
}
