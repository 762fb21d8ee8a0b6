import fc from 'fast-check'

/*
 * Generates programs. A program is a small tree of its own, made of values of the kinds that its variables are named for
 * (n: number, t: text, a: array, m: map, d: time), so that most of them run to their end; a few are wild. The tree is
 * written as text for the compiler, and walked by `evaluator.ts`, which so checks the parser as well.
 */

export type Node =
  | { is: 'constant'; text: string; value: Value }
  | { is: 'variable'; name: string }
  | { is: 'array'; items: Node[] }
  | { is: 'map'; entries: [string, Node][] }
  | { is: 'binary'; operator: string; left: Node; right: Node; brackets: boolean }
  | { is: 'not'; operand: Node }
  | { is: 'index'; name: string; keys: Node[] }
  | { is: 'exists'; name: string; keys: Node[] }
  | { is: 'call'; function: string; parameters: [string, Node][] }

export type Value = null | boolean | number | string | Time | Value[] | Map<string, Value>
export class Time {
  readonly seconds: number
  constructor(seconds: number) {
    this.seconds = seconds
  }
}

export type Line =
  | { is: 'assign'; names: string[]; value: Node }
  | { is: 'element'; name: string; keys: Node[]; value: Node }
  | { is: 'value'; value: Node }
  | { is: 'if'; branches: [Node, Line][]; otherwise: Line | undefined; spread: boolean }
  | { is: 'while'; counter: string; rounds: number; body: Line[] }
  | { is: 'block'; lines: Line[]; description: boolean }
  | { is: 'break' | 'continue' | 'pass' }
  | { is: 'label'; name: string }
  | { is: 'goto'; name: string; counter: string }

const LEVELS: { [operator: string]: number } = {
  or: 0,
  and: 1,
  '==': 2,
  '!=': 2,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  '|': 3,
  '&': 4,
  '.': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
  '^': 8,
}

export function writeNode(node: Node): string {
  switch (node.is) {
    case 'constant':
      return node.text
    case 'variable':
      return node.name
    case 'array':
      return `[ ${node.items.map(writeNode).join(', ')} ]`
    case 'map':
      return `{ ${node.entries.map(([key, value]) => `${key}=${writeNode(value)}`).join(', ')} }`
    case 'not':
      return `not ${node.operand.is === 'binary' ? `( ${writeNode(node.operand)} )` : writeNode(node.operand)}`
    case 'index':
      return node.name + node.keys.map(key => `[ ${writeNode(key)} ]`).join('')
    case 'exists':
      return `exists( ${node.name}${node.keys.map(key => `[${writeNode(key)}]`).join('')} )`
    case 'call':
      return `${node.function}( ${node.parameters.map(([name, value]) => `${name}=${writeNode(value)}`).join(', ')} )`
    default:
      return writeBinary(node)
  }
}

function writeBinary(node: Node & { is: 'binary' }): string {
  const level = LEVELS[node.operator] as number
  const right = node.operator === '^'
  const side = (child: Node, strict: boolean) => {
    const text = writeNode(child)
    if (child.is !== 'binary') return text
    const inner = LEVELS[child.operator] as number
    return child.brackets || inner < level || (strict && inner === level) ? `( ${text} )` : text
  }
  return `${side(node.left, right)} ${node.operator} ${side(node.right, !right)}`
}

export function writeProgram(lines: readonly Line[]): string {
  return lines.map(line => writeLine(line, '')).join('')
}

function writeLine(line: Line, indent: string): string {
  switch (line.is) {
    case 'assign':
      return `${indent}${line.names.join(' = ')} = ${writeNode(line.value)}\n`
    case 'element':
      return `${indent}${line.name}${line.keys.map(key => `[${writeNode(key)}]`).join('')}=${writeNode(line.value)} # set\n`
    case 'value':
      return `${indent}${writeNode(line.value)}\n`
    case 'if':
      return writeIf(line, indent)
    case 'while':
      return `${indent}${line.counter} = 0\n${indent}while ( ${line.counter} < ${line.rounds} ) do\n${indent}begin()\n${indent}  ${line.counter} = ( ${line.counter} + 1 )\n${line.body.map(inner => writeLine(inner, `${indent}  `)).join('')}${indent}end\n`
    case 'block':
      return `${indent}begin(${line.description ? " description='some work', expected_time=1:00 " : ''})\n${line.lines.map(inner => writeLine(inner, `${indent}  `)).join('')}${indent}end\n`
    case 'label':
      return `:${line.name}\n`
    case 'goto':
      return `${indent}if ( ${line.counter} < 3 ) then\n${indent}begin()\n${indent}  ${line.counter} = ( ${line.counter} + 1 )\n${indent}  goto ${line.name}\n${indent}end\n`
    default:
      return `${indent}${line.is}\n`
  }
}

/** An `if` inside a branch would take the `else` for its own, so every branch is a block. */
function writeIf({ branches, otherwise, spread }: Line & { is: 'if' }, indent: string): string {
  const gap = spread ? '\n\n  # a remark\n' : '\n'
  const body = (line: Line) => writeLine({ is: 'block', lines: [line], description: false }, indent)
  const parts = branches.map(
    ([condition, line], at) => `${indent}${at === 0 ? 'if' : 'elif'} ${writeNode(condition)} then${gap}${body(line)}`,
  )
  return parts.join(spread ? '\n' : '') + (otherwise ? `${indent}else\n${body(otherwise)}` : '')
}

const TEXTS = ['', 'a', 'web', "it's", 'h€😀', 'two words', '# no remark']

const text = fc
  .constantFrom(...TEXTS)
  .map((value): Node => ({ is: 'constant', text: value.includes("'") ? `"${value}"` : `'${value}'`, value }))
const integer = fc
  .integer({ min: -20, max: 300 })
  .map((value): Node => ({ is: 'constant', text: String(value), value }))
const large = fc
  .constantFrom(4294967296, 9007199254740991, -9007199254740991)
  .map((value): Node => ({ is: 'constant', text: String(value), value }))
const fraction = fc
  .constantFrom(0.5, 1.25, -2.75, 10.1)
  .map((value): Node => ({ is: 'constant', text: String(value), value }))
const boolean = fc.boolean().map((value): Node => ({ is: 'constant', text: value ? 'True' : 'false', value }))
const none = fc.constant<Node>({ is: 'constant', text: 'None', value: null })
const time = fc.tuple(fc.nat(59), fc.nat(59)).map(
  ([minutes, seconds]): Node => ({
    is: 'constant',
    text: `${minutes}:${String(seconds).padStart(2, '0')}`,
    value: new Time(minutes * 60 + seconds),
  }),
)
const variable = (...names: string[]) => fc.constantFrom(...names).map((name): Node => ({ is: 'variable', name }))

export const VARIABLES = ['n1', 'n2', 't1', 't2', 'a1', 'a2', 'm1', 'd1']

interface Kinds {
  number: Node
  text: Node
  array: Node
  map: Node
  time: Node
  truth: Node
  any: Node
}

const {
  number,
  text: texts,
  array,
  map,
  time: times,
  truth,
  any,
} = fc.letrec<Kinds>((tie: fc.LetrecTypedTie<Kinds>) => {
  const binary = (operators: string[], left: fc.Arbitrary<Node>, right: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
    fc.record({
      is: fc.constant('binary' as const),
      operator: fc.constantFrom(...operators),
      left,
      right,
      brackets: fc.boolean(),
    })
  const call = (name: string, ...parameters: [string, fc.Arbitrary<Node>][]) =>
    fc.tuple(...parameters.map(([, value]) => value)).map(
      (values): Node => ({
        is: 'call',
        function: name,
        parameters: parameters.map(([key], at) => [key, values[at] as Node]),
      }),
    )
  const index = (name: string, keys: fc.Arbitrary<Node[]>, is: 'index' | 'exists' = 'index') =>
    keys.map((found): Node => ({ is, name, keys: found }))
  const place = fc.integer({ min: -3, max: 3 }).map((value): Node => ({ is: 'constant', text: String(value), value }))
  const key = fc.constantFrom('one', 'two', 'k').map((value): Node => ({ is: 'constant', text: `'${value}'`, value }))
  const deep = { maxDepth: 3, depthIdentifier: 'node' }
  return {
    number: fc.oneof(
      deep,
      { weight: 4, arbitrary: integer },
      fraction,
      large,
      variable('n1', 'n2'),
      binary(['+', '-', '*', '%'], tie('number'), tie('number')),
      binary(['/', '^', '&', '|'], tie('number'), tie('number')),
      call('len', ['array', fc.oneof(tie('array'), tie('text'), tie('map'))]),
      index('a1', fc.tuple(place)),
    ),
    text: fc.oneof(
      deep,
      text,
      variable('t1', 't2'),
      binary(['.'], tie('any'), tie('text')),
      call('slice', ['array', tie('text')], ['start', place], ['end', place]),
    ),
    array: fc.oneof(
      deep,
      fc.array(tie('any'), { maxLength: 3 }).map((items): Node => ({ is: 'array', items })),
      variable('a1', 'a2'),
      call('slice', ['array', tie('array')], ['start', place], ['end', tie('number')]),
    ),
    map: fc.oneof(
      deep,
      fc
        .array(fc.tuple(fc.constantFrom('one', 'two', 'end'), tie('any')), { maxLength: 2 })
        .map((entries): Node => ({ is: 'map', entries })),
      variable('m1'),
    ),
    time: fc.oneof(
      deep,
      time,
      variable('d1'),
      binary(['+', '-'], tie('time'), tie('time')),
      binary(['*', '/'], tie('time'), tie('number')),
    ),
    truth: fc.oneof(
      deep,
      boolean,
      binary(['==', '!='], tie('any'), tie('any')),
      binary(['<', '<=', '>', '>='], tie('number'), tie('number')),
      binary(['<', '>='], tie('text'), tie('text')),
      binary(['and', 'or'], tie('truth'), tie('any')),
      tie('any').map((operand): Node => ({ is: 'not', operand })),
      index('a1', fc.array(place, { minLength: 1, maxLength: 2 }), 'exists'),
      index('m1', fc.array(key, { maxLength: 2 }), 'exists'),
      index('unset', fc.constant([]), 'exists'),
    ),
    any: fc.oneof(
      deep,
      { weight: 3, arbitrary: tie('number') },
      tie('text'),
      tie('array'),
      tie('map'),
      tie('time'),
      tie('truth'),
      none,
      index('m1', fc.tuple(key)),
      index('a2', fc.array(place, { minLength: 1, maxLength: 2 })),
      call('pop', ['array', variable('a1', 'a2')]),
      call('index', ['array', tie('array')], ['value', tie('any')]),
    ),
  }
})

const assign: fc.Arbitrary<Line> = fc
  .oneof(
    fc.tuple(fc.constantFrom('n1', 'n2'), number),
    fc.tuple(fc.constantFrom('t1', 't2'), texts),
    fc.tuple(fc.constantFrom('a1', 'a2'), array),
    fc.tuple(fc.constant('m1'), map),
    fc.tuple(fc.constant('d1'), times),
    fc.tuple(fc.constant('free'), any),
  )
  .map(([name, value]) => ({ is: 'assign', names: name === 'free' ? ['free', 'other'] : [name], value }))

const element: fc.Arbitrary<Line> = fc.oneof(
  fc.tuple(fc.constantFrom('a1', 'a2'), fc.integer({ min: -2, max: 2 }), any).map(
    ([name, at, value]): Line => ({
      is: 'element',
      name,
      keys: [{ is: 'constant', text: String(at), value: at }],
      value,
    }),
  ),
  fc.tuple(fc.constantFrom('one', 'k', '$time', '__proto__'), any).map(
    ([key, value]): Line => ({
      is: 'element',
      name: 'm1',
      keys: [{ is: 'constant', text: `'${key}'`, value: key }],
      value,
    }),
  ),
)

const call: fc.Arbitrary<Line> = fc.oneof(
  fc.tuple(fc.constantFrom('a1', 'a2'), any).map(
    ([name, value]): Line => ({
      is: 'value',
      value: {
        is: 'call',
        function: 'append',
        parameters: [
          ['array', { is: 'variable', name }],
          ['value', value],
        ],
      },
    }),
  ),
  fc
    .tuple(fc.constantFrom('pause', 'error', 'message'), texts)
    .map(
      ([name, value]): Line => ({ is: 'value', value: { is: 'call', function: name, parameters: [['msg', value]] } }),
    ),
  any.map((value): Line => ({ is: 'value', value })),
)

/** `loop`: the number of loops around, which names the counters apart. */
function lines(depth: number, loop: number): fc.Arbitrary<Line> {
  const leaf = fc.oneof(
    { weight: 5, arbitrary: assign },
    { weight: 2, arbitrary: element },
    { weight: 2, arbitrary: call },
  )
  if (depth === 0) return leaf
  const jump: fc.Arbitrary<Line>[] = loop > 0 ? [fc.constantFrom<Line>({ is: 'break' }, { is: 'continue' })] : []
  const body = (inner: number) => fc.array(lines(depth - 1, inner), { minLength: 1, maxLength: 3 })
  return fc.oneof(
    { weight: 6, arbitrary: leaf },
    fc.record({
      is: fc.constant('if' as const),
      branches: fc.array(fc.tuple(truth, lines(depth - 1, loop)), { minLength: 1, maxLength: 3 }),
      otherwise: fc.option(lines(depth - 1, loop), { nil: undefined }),
      spread: fc.boolean(),
    }),
    fc.record({
      is: fc.constant('while' as const),
      counter: fc.constant(`loop${depth}`),
      rounds: fc.nat(3),
      body: body(loop + 1),
    }),
    fc.record({ is: fc.constant('block' as const), lines: body(loop), description: fc.boolean() }),
    fc.record({ is: fc.constant('goto' as const), name: fc.constantFrom('la', 'lb'), counter: fc.constant('jumps') }),
    ...jump,
  )
}

const FIRST: Line[] = [
  { is: 'assign', names: ['n1', 'n2', 'jumps'], value: { is: 'constant', text: '0', value: 0 } },
  { is: 'assign', names: ['t1', 't2'], value: { is: 'constant', text: "'t'", value: 't' } },
  {
    is: 'assign',
    names: ['a1', 'a2'],
    value: {
      is: 'array',
      items: [
        { is: 'constant', text: '1', value: 1 },
        { is: 'constant', text: '7', value: 7 },
      ],
    },
  },
  { is: 'assign', names: ['m1'], value: { is: 'map', entries: [['one', { is: 'constant', text: '1', value: 1 }]] } },
  { is: 'assign', names: ['d1'], value: { is: 'constant', text: '1:30', value: new Time(90) } },
]

/** Whole programs, with the labels `la` and `lb` somewhere at the outermost level. */
export const programs: fc.Arbitrary<Line[]> = fc
  .tuple(
    fc.array(lines(2, 0), { maxLength: 4 }),
    fc.array(lines(2, 0), { maxLength: 4 }),
    fc.array(lines(1, 0), { maxLength: 3 }),
  )
  .map(([before, between, after]) => [
    ...FIRST,
    ...before,
    { is: 'label', name: 'la' },
    ...between,
    { is: 'label', name: 'lb' },
    ...after,
  ])
