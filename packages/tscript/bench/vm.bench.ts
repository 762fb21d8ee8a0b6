import { compile, createState, type Host, run } from '../src/index.ts'

const ROUNDS = 1_000_000
const SCRIPT = `ii = 0\nwhile ( ii < ${ROUNDS} ) do ii = ( ii + 1 )\n`

const host: Host = {
  now: () => 0,
  get: () => ({ error: 'none' }),
  set: () => ({ error: 'none' }),
  call: () => ({ kind: 'aborted', message: 'none' }),
}

/** The best of some runs, in rounds a second: the machine when nothing else disturbs it. */
function best(work: () => void): number {
  let shortest = Number.POSITIVE_INFINITY
  for (let count = 0; count < 12; count++) {
    const start = performance.now()
    work()
    shortest = Math.min(shortest, performance.now() - start)
  }
  return Math.round((ROUNDS / shortest) * 1000)
}

/** The same loop in the plainest stack machine that JavaScript allows, which checks nothing: the limit to compare with. */
function interpret(code: Int32Array, stack: number[], slots: number[]): void {
  for (let pc = 0, sp = 0; ; pc += 2) {
    const operand = code[pc + 1] as number
    switch (code[pc]) {
      case 0:
        return
      case 1:
        stack[sp++] = operand
        break
      case 2:
        stack[sp++] = slots[operand] as number
        break
      case 3:
        slots[operand] = stack[--sp] as number
        break
      case 4:
        sp--
        stack[sp - 1] = (stack[sp - 1] as number) + (stack[sp] as number)
        break
      case 5:
        sp--
        stack[sp - 1] = (stack[sp - 1] as number) < (stack[sp] as number) ? 1 : 0
        break
      case 6:
        if (stack[--sp]) pc = operand - 2
        break
      default:
        pc = operand - 2
    }
  }
}

// ii = 0; jump test; body: ii + 1 → ii; test: ii < ROUNDS, jump body; end
const LOOP = Int32Array.of(1, 0, 3, 0, 7, 14, 2, 0, 1, 1, 4, 0, 3, 0, 2, 0, 1, ROUNDS, 5, 0, 6, 6, 0, 0)

function measureVm(): object {
  const compiled = compile(SCRIPT)
  if (!compiled.ok) throw new Error('the script of the benchmark does not compile')
  const { program } = compiled
  const loopsPerSecond = best(() => {
    const state = run(program, createState(program), host)
    if (state.variables.ii !== ROUNDS) throw new Error('the loop did not end')
  })
  const interpreterLoopsPerSecond = best(() => {
    const slots = [0]
    interpret(LOOP, [], slots)
    if (slots[0] !== ROUNDS) throw new Error('the plain loop did not end')
  })
  return { bench: 'tscript/vm', loopsPerSecond, interpreterLoopsPerSecond }
}

export const benchmarks = { 'tscript/vm': measureVm }
