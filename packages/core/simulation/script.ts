import type { Random } from './random.ts'

/** A script for one Job, with what a whole run of it must have done. */
export interface GeneratedScript {
  source: string
  /** How often each step has to be done, by its name. */
  steps: ReadonlyMap<string, number>
  /** Whether it ends in `fatal_error`, and so never completes. */
  fatal: boolean
}

/** What a handler answers for a step: known beforehand, so that scripts may turn on it. */
export function readingOf(step: string): number {
  return [...step].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 97, 7)
}

type Kind = 'call' | 'delay' | 'settle' | 'pause' | 'signal' | 'confirm' | 'error' | 'block' | 'loop' | 'if'
const weights: Record<Kind, number> = {
  call: 60,
  delay: 5,
  settle: 5,
  pause: 3,
  signal: 3,
  confirm: 4,
  error: 3,
  block: 7,
  loop: 7,
  if: 7,
}
const functions = { strike: 4, polish: 3, hone: 5, weld: 2, grip: 4, patience: 3 }

/** Writes a script of one to six steps, some in blocks, loops and conditions. `run` is in every step's name. */
export function generateScript(random: Random, run: number): GeneratedScript {
  const steps = new Map<string, number>()
  let left = random.int(1, 6)
  let names = 0
  const name = (prefix: string) => `${prefix}${++names}`

  /** Lines of some statements that are run `times` times. */
  const statements = (count: number, times: number, depth: number): string[] => {
    const lines: string[] = []
    for (let at = 0; at < count && left > 0; at++) lines.push(...statement(times, depth))
    return lines.length ? lines : ["message( msg='nothing' )"]
  }

  const call = (times: number): { line: string; step: string } => {
    const step = `r${run}${name('s')}`
    steps.set(step, (steps.get(step) ?? 0) + times)
    return { line: `foundation.${random.weighted(functions)}( step='${step}' )`, step }
  }

  const statement = (times: number, depth: number): string[] => {
    left--
    const kind = random.weighted(weights)
    switch (depth > 2 && (kind === 'block' || kind === 'loop' || kind === 'if') ? 'call' : kind) {
      case 'call':
        return [call(times).line]
      case 'delay':
        return [`delay( seconds=${random.int(1, 20)} )`]
      case 'settle':
        return [`foundation.settle( seconds=${random.int(1, 20)} )`]
      case 'pause':
        return ["pause( msg='Look at it' )"]
      case 'signal':
        return ['signaling.wait_for_completion()']
      case 'confirm':
        return ["foundation.confirm( question='Is it on?' )"]
      case 'error':
        return ["error( msg='This is to be reset' )"]
      case 'block':
        return [`begin( description='Part ${name('p')}' )`, ...statements(random.int(1, 3), times, depth + 1), 'end']
      case 'loop': {
        const counter = name('i')
        const rounds = random.int(1, 3)
        const body = statements(random.int(1, 2), times * rounds, depth + 1)
        return [
          `${counter} = 0`,
          `while ( ${counter} < ${rounds} ) do`,
          'begin()',
          ...body,
          `${counter} = ( ${counter} + 1 )`,
          'end',
        ]
      }
      case 'if': {
        const { line, step } = call(times)
        const variable = name('v')
        const says = random.chance(0.5)
        const compared = says ? readingOf(step) : readingOf(step) + 1
        const taken = statements(1, says ? times : 0, depth + 1)
        const other = statements(1, says ? 0 : times, depth + 1)
        const test = `if ( ${variable} == ${compared} ) then`
        return [`${variable} = ${line}`, test, 'begin()', ...taken, 'end', 'else', 'begin()', ...other, 'end']
      }
    }
  }

  const lines = statements(6, 1, 0)
  const fatal = random.chance(0.04)
  if (fatal) lines.push("fatal_error( msg='It cannot be done' )")
  // In the text, so that a Job tells by its program which run it is.
  return { source: [`# run ${run}`, ...lines].join('\n'), steps, fatal }
}
