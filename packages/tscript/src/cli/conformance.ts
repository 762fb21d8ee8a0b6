import { createInterface } from 'node:readline'
import { type Case, runCase } from './case.ts'
import type { ExitCode, Terminal } from './command.ts'

/** `tscript conformance`: one result a line for each case a line. A line that is no case is answered as `invalid`. */
export async function runConformance(terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  let number = 0
  for await (const line of createInterface({ input: terminal.input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() === '') continue
    const found = parseCase(line, number)
    if ('outcome' in found) code = 1
    terminal.out(`${JSON.stringify('outcome' in found ? found : runCase(found))}\n`)
  }
  return code
}

interface Invalid {
  id: string | null
  outcome: 'invalid'
  message: string
  line: number
}

function parseCase(text: string, line: number): Case | Invalid {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { id: null, outcome: 'invalid', message: `Line ${line} of the input is not JSON`, line }
  }
  const { id, script, resume = 0 } = (value ?? {}) as { id?: unknown; script?: unknown; resume?: unknown }
  const name = typeof id === 'string' ? id : null
  const invalid = (message: string): Invalid => ({
    id: name,
    outcome: 'invalid',
    message: `Line ${line} of the input ${message}`,
    line,
  })
  if (name === null) return invalid('has no `id` that is a text')
  if (typeof script !== 'string') return invalid('has no `script` that is a text')
  if (!Number.isSafeInteger(resume) || (resume as number) < 0) return invalid('has a `resume` that is no count')
  return { id: name, script, resume: resume as number }
}
