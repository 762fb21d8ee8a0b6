import { type Case, type CaseResult, runCase } from './case.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/**
 * `tscript conformance`: one result a line for each case a line, as they come. A line that is no case is answered as
 * `invalid`, and the next one is read.
 */
export async function runConformance(terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  let number = 0
  for await (const line of readLines(terminal.input)) {
    number++
    if (line.trim() === '') continue
    const answer = answerLine(line, number)
    if (answer.outcome === 'invalid') code = 1
    terminal.out(`${JSON.stringify(answer)}\n`)
  }
  return code
}

/** Node's readline also ends lines at U+2028, which JSON texts may hold. */
async function* readLines(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  input.setEncoding('utf8')
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() as string
    yield* lines
  }
  if (rest !== '') yield rest
}

interface Invalid {
  id: string | null
  outcome: 'invalid'
  message: string
  line: number
}

function answerLine(text: string, line: number): CaseResult | Invalid {
  const found = parseCase(text, line)
  if ('outcome' in found) return found
  try {
    return runCase(found)
  } catch (error) {
    const message = `Line ${line} of the input could not be run: ${error instanceof Error ? error.message : String(error)}`
    return { id: found.id, outcome: 'invalid', message, line }
  }
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
  const invalid = (fault: string): Invalid => ({
    id: name,
    outcome: 'invalid',
    message: `Line ${line} of the input ${fault}`,
    line,
  })
  if (name === null) return invalid('has no `id` that is a text')
  if (typeof script !== 'string') return invalid('has no `script` that is a text')
  if (!Number.isSafeInteger(resume) || (resume as number) < 0) return invalid('has a `resume` that is no count')
  return { id: name, script, resume: resume as number }
}
