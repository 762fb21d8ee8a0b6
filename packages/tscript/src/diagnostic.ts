/** One finding about a source text. `line` and `column` count from 1; a column is a Unicode code point. */
export interface Diagnostic {
  severity: 'error' | 'warning'
  code: string
  message: string
  line: number
  column: number
  /** The source line that `line` names, without its line end. */
  text: string
  suggestion?: string
}

export interface Position {
  readonly line: number
  readonly column: number
}

/** Longer lines are cut in the printed form: a caret under column 20,000 helps nobody. */
const LINE_WIDTH = 160

/** `file:line:column: error: message`, the line, a caret under the place, and the suggestion where there is one. */
export function formatDiagnostic(diagnostic: Diagnostic, file?: string): string {
  const { line, column, severity, message, suggestion } = diagnostic
  const head = `${file === undefined ? '' : `${file}:`}${line}:${column}: ${severity}: ${message}`
  const points = Array.from(diagnostic.text)
  const from = column > LINE_WIDTH ? column - LINE_WIDTH / 2 : 0
  const shown = points
    .slice(from, from + LINE_WIDTH)
    .map(printable)
    .join('')
  const before = points.slice(from, column - 1).map(point => (point === '\t' ? '\t' : ' '))
  const caret = `${before.join('')}${' '.repeat(Math.max(0, column - 1 - from - before.length))}^`
  return [head, `  ${shown}`, `  ${caret}`, ...(suggestion === undefined ? [] : [`  ${suggestion}`])].join('\n')
}

/** Control characters would move the caret or speak to the terminal. */
function printable(point: string): string {
  const code = point.codePointAt(0) ?? 0
  const control = (code < 32 && code !== 9) || (code >= 127 && code < 160)
  return control || (code >= 0xd800 && code <= 0xdfff) ? '\u{fffd}' : point
}
