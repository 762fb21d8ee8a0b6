import { compile, createState, type Host, parseState, run } from '../src/index.ts'

const host: Host = {
  now: () => 1_700_000_000.5,
  get: () => ({ error: 'none' }),
  set: () => ({ error: 'none' }),
  call: () => ({ kind: 'pending', state: { task: 12 } }),
}

/** A program of 1,000 lines that stops inside nested blocks with two variables set. */
function longScript(): string {
  const lines = Array.from({ length: 990 }, (_, at) => `if ( size > ${at} ) then total = ( total + ${at} )`)
  const open = "begin( description='Install', expected_time=3:00 )\nbegin( description='Disk', max_time=1:00:00 )"
  return `size = 4\ntotal = 0\n${open}\npause( msg='here' )\nend\nend\n${lines.join('\n')}\n`
}

/** Microseconds, the median of many. */
function microsOf(work: () => unknown): number {
  for (let count = 0; count < 5000; count++) work()
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now()
    for (let count = 0; count < 50; count++) work()
    return ((performance.now() - start) * 1000) / 50
  })
  return Number((times.sort((a, b) => a - b)[100] as number).toFixed(2))
}

function measureState(): object {
  const compiled = compile(longScript())
  if (!compiled.ok) throw new Error('the script of the benchmark does not compile')
  const { program } = compiled
  const state = run(program, createState(program), host)
  const saved = JSON.stringify(state)
  return {
    bench: 'tscript/state',
    bytes: Buffer.byteLength(saved),
    saveMicros: microsOf(() => JSON.stringify(state)),
    restoreMicros: microsOf(() => parseState(JSON.parse(saved), program)),
  }
}

export const benchmarks = { 'tscript/state': measureState }
