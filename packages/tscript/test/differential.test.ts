import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile, formatDiagnostic } from '../src/index.ts'
import { evaluate } from './evaluator.ts'
import { createStillHost, playToEnd } from './playing-host.ts'
import { programs, writeProgram } from './program-text.ts'

const numRuns = Number(process.env.TSCRIPT_RUNS ?? 200)

test('the machine and a tree walker come to the same end', () => {
  const ends = { done: 0, aborted: 0 }
  fc.assert(
    fc.property(programs, lines => {
      const text = writeProgram(lines)
      const compiled = compile(text)
      if (!compiled.ok)
        throw new Error(`${compiled.diagnostics.map(found => formatDiagnostic(found)).join('\n')}\n${text}`)
      const clock = { now: 0 }
      const played = playToEnd(compiled.program, createStillHost(clock), clock)
      const walked = evaluate(lines)
      ends[walked.outcome]++
      expect(
        { outcome: played.outcome, said: played.said, variables: played.variables },
        `${text}\n${JSON.stringify(played.state.stop)}`,
      ).toEqual(walked)
    }),
    { numRuns },
  )
  // The comparison is worth something only where many programs do not fail at once.
  expect(ends.done).toBeGreaterThan(numRuns / 10)
})
