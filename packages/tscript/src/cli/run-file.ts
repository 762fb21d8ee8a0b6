import { setTimeout as sleep } from 'node:timers/promises'
import { compile } from '../compile/compile.ts'
import { formatDiagnostic } from '../diagnostic.ts'
import type { Program } from '../program/program.ts'
import { toDisplay } from '../value/text.ts'
import { run, step } from '../vm/run.ts'
import { createState, type State } from '../vm/state.ts'
import { createBareHost } from './case.ts'
import { readSource } from './source-file.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** So many steps, and the process looks whether it was told to stop. */
const SLICE = 1_000_000
/** Node's timers take no longer delay. */
const MAX_SLEEP_MS = 2_147_483_647

/** `tscript run`: to the end, a pause or an error. A delay is waited for, a message printed. */
export async function runFile(file: string, trace: boolean, terminal: Terminal): Promise<ExitCode> {
  const source = await readSource(file, terminal)
  if (source === undefined) return 1
  const compiled = compile(source)
  for (const finding of compiled.diagnostics) terminal.err(`${formatDiagnostic(finding, file)}\n`)
  if (!compiled.ok) return 1
  const { program } = compiled
  const host = createBareHost(terminal.now)
  let state = createState(program)
  for (;;) {
    state = trace ? traceRun(program, state, host, source, terminal) : run(program, state, host, { steps: SLICE })
    const { stop } = state
    if (stop?.kind === 'waiting') {
      if (stop.message !== undefined) terminal.out(`${stop.message}\n`)
      await sleep(Math.min(MAX_SLEEP_MS, Math.max(0, ((stop.wakeAt ?? 0) - host.now()) * 1000)))
    } else if (stop?.kind === 'budget' || !stop) await sleep(0)
    else break
  }
  return report(state, file, source, terminal)
}

function report(state: State, file: string, source: string, terminal: Terminal): ExitCode {
  const { stop } = state
  for (const [name, value] of Object.entries(state.variables)) terminal.out(`${name} = ${toDisplay(value)}\n`)
  if (!stop || stop.kind === 'done' || stop.kind === 'budget') return 0
  const { kind, line, column } = stop
  const message = `${kind}: ${stop.message ?? ''}`
  const text = linesOf(source)[line - 1] ?? ''
  terminal.err(`${formatDiagnostic({ severity: 'error', code: kind, message, line, column, text }, file)}\n`)
  return 1
}

function linesOf(source: string): string[] {
  return source.split(/\r\n|\n|\r/)
}

/** Prints each line as it is reached. Steps to the next stop, or some thousand instructions. */
function traceRun(
  program: Program,
  from: State,
  host: ReturnType<typeof createBareHost>,
  source: string,
  terminal: Terminal,
): State {
  const lines = linesOf(source)
  let state = from
  let last = 0
  for (let count = 0; count < 10_000; count++) {
    const line = program.positions[state.pc * 2] ?? 0
    if (line !== last && program.code[state.pc * 3] !== 0)
      terminal.err(`${String(line).padStart(5)}  ${(lines[line - 1] ?? '').trim()}\n`)
    last = line
    state = step(program, state, host)
    if (state.stop) return state
  }
  return state
}
