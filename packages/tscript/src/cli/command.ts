import { parseArgs } from 'node:util'
import { checkFiles } from './check-files.ts'
import { runConformance } from './conformance.ts'
import { formatFiles } from './format-files.ts'
import { runFile } from './run-file.ts'
import type { ExitCode, Terminal } from './terminal.ts'

const HELP = `tscript: check, run and format TScript programs

  tscript check FILE… [--json]    errors and warnings, with their places
  tscript run FILE [--trace]      run a program with the built-in functions
  tscript fmt FILE… [--check]     format in place; --check only tells which files would change
  tscript conformance             read cases on standard input, one JSON object a line,
                                  write what each one did, one JSON object a line
  tscript --help                  this text

FILE - is standard input. Exit codes: 0 fine, 1 errors were found, 2 wrong usage.
`

const OPTIONS: { [command: string]: { [option: string]: { type: 'boolean' } } } = {
  check: { json: { type: 'boolean' } },
  run: { trace: { type: 'boolean' } },
  fmt: { check: { type: 'boolean' } },
  conformance: {},
}

export async function runCommand(words: string[], terminal: Terminal): Promise<ExitCode> {
  const [command = '', ...rest] = words
  if (words.some(word => word === '--help' || word === '-h')) {
    terminal.out(HELP)
    return 0
  }
  const options = Object.hasOwn(OPTIONS, command) ? OPTIONS[command] : undefined
  if (!options) return usage(terminal, command === '' ? 'a command is needed' : `there is no command ${command}`)
  let parsed: { values: { [option: string]: unknown }; positionals: string[] }
  try {
    parsed = parseArgs({ args: rest, options, allowPositionals: true })
  } catch (error) {
    return usage(terminal, error instanceof Error ? (error.message.split('.')[0] as string) : String(error))
  }
  const { values, positionals } = parsed
  if (command === 'conformance')
    return positionals.length > 0 ? usage(terminal, 'conformance takes no files') : runConformance(terminal)
  if (positionals.length === 0) return usage(terminal, `${command} needs a file`)
  if (command === 'check') return checkFiles(positionals, values.json === true, terminal)
  if (command === 'fmt') return formatFiles(positionals, values.check === true, terminal)
  return positionals.length > 1
    ? usage(terminal, 'run takes one file')
    : runFile(positionals[0] as string, values.trace === true, terminal)
}

function usage(terminal: Terminal, message: string): ExitCode {
  terminal.err(`tscript: ${message}\n\n${HELP}`)
  return 2
}
