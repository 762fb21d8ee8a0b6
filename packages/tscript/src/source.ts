import type { Diagnostic, Position } from './diagnostic.ts'
import { mendText } from './value/storable.ts'

/** More findings than this in one text say nothing new, and a hostile text would otherwise fill the memory with them. */
const MAX_FINDINGS = 100

/** A source text with the findings about it. */
export class Source {
  readonly text: string
  readonly findings: Diagnostic[] = []
  private lines: string[] | undefined

  constructor(text: string) {
    this.text = text
  }

  /** Notes a finding; the first one at a place stands, what follows from it at the same place is dropped. */
  report(severity: 'error' | 'warning', code: string, at: Position, message: string, suggestion?: string): void {
    if (this.full) return
    const { line, column } = at
    if (
      severity === 'error' &&
      this.findings.some(f => f.line === line && f.column === column && f.severity === 'error')
    )
      return
    // A finding can be kept also where its source cannot.
    const text = mendText(this.lineText(line))
    this.findings.push({
      severity,
      code,
      message: mendText(message),
      line,
      column,
      text,
      ...(suggestion === undefined ? {} : { suggestion: mendText(suggestion) }),
    })
  }

  error(code: string, at: Position, message: string, suggestion?: string): void {
    this.report('error', code, at, message, suggestion)
  }

  warn(code: string, at: Position, message: string, suggestion?: string): void {
    this.report('warning', code, at, message, suggestion)
  }

  /** Nothing more is noted. */
  get full(): boolean {
    return this.findings.length >= MAX_FINDINGS
  }

  get failed(): boolean {
    return this.findings.some(finding => finding.severity === 'error')
  }

  /** The findings in the order of the text. */
  sorted(): Diagnostic[] {
    return [...this.findings].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  private lineText(line: number): string {
    this.lines ??= this.text.split(/\r\n|\n|\r/)
    return this.lines[line - 1] ?? ''
  }
}
