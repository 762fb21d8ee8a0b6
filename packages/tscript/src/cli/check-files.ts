import { compile } from '../compile/compile.ts'
import { formatDiagnostic } from '../diagnostic.ts'
import { readSource } from './source-file.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** `tscript check`: every error and warning of every file; with --json one object a finding and line. */
export async function checkFiles(files: readonly string[], json: boolean, terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  for (const file of files) {
    const source = await readSource(file, terminal)
    if (source === undefined) {
      code = 1
      continue
    }
    const { ok, diagnostics } = compile(source)
    if (!ok) code = 1
    for (const finding of diagnostics)
      terminal.out(json ? `${JSON.stringify({ file, ...finding })}\n` : `${formatDiagnostic(finding, file)}\n`)
  }
  return code
}
