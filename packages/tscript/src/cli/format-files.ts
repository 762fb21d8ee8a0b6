import { writeFile } from 'node:fs/promises'
import { formatDiagnostic } from '../diagnostic.ts'
import { format } from '../format/format.ts'
import { readSource, reasonOf } from './source-file.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** `tscript fmt`: formats in place; standard input goes to standard output. A file with syntax errors is left alone. */
export async function formatFiles(files: readonly string[], check: boolean, terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  for (const file of files) {
    const source = await readSource(file, terminal)
    const fine = source !== undefined && (await formatFile(file, source, check, terminal))
    if (!fine) code = 1
  }
  return code
}

async function formatFile(file: string, source: string, check: boolean, terminal: Terminal): Promise<boolean> {
  const result = format(source)
  if (!result.ok) {
    for (const finding of result.diagnostics) terminal.err(`${formatDiagnostic(finding, file)}\n`)
    return false
  }
  if (check) {
    if (result.text !== source) terminal.out(`${file}\n`)
    return result.text === source
  }
  if (file === '-') terminal.out(result.text)
  else if (result.text !== source) {
    try {
      await writeFile(file, result.text)
    } catch (error) {
      terminal.err(`tscript: ${file}: ${reasonOf(error)}\n`)
      return false
    }
  }
  return true
}
