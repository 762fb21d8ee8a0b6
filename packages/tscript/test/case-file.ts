import { readFileSync } from 'node:fs'

export interface CaseLine {
  id: string
  script: string
  resume?: number
  expect: { outcome: string | string[]; variables?: unknown; message?: string; line?: number }
}

/** The cases of a file beside this one, one JSON object a line. */
export function readCases(file: string): CaseLine[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8').trim()
  return text.split('\n').map(line => JSON.parse(line) as CaseLine)
}

/** The cases that came with the language, and those of this package beside them. */
export const allCases: CaseLine[] = [...readCases('cases.jsonl'), ...readCases('more-cases.jsonl')]
