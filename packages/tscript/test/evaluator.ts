import { type Line, type Node, Time, type Value } from './program-text.ts'

/*
 * A second opinion: walks the tree of a generated program with nothing of the machine's own code. Slow and plain.
 */

export interface Outcome {
  outcome: 'done' | 'aborted'
  /** What the program said when it paused, failed or showed a message. */
  said: string[]
  variables: { [name: string]: unknown }
}

class Abort extends Error {}
class Jump {
  readonly to: string
  constructor(to: string) {
    this.to = to
  }
}

export function evaluate(program: readonly Line[]): Outcome {
  const walker = new Walker()
  let outcome: Outcome['outcome'] = 'done'
  try {
    walker.top(program)
  } catch (error) {
    if (!(error instanceof Abort)) throw error
    outcome = 'aborted'
  }
  return {
    outcome,
    said: walker.said,
    variables: Object.fromEntries([...walker.variables].map(([name, value]) => [name, toJson(value)])),
  }
}

class Walker {
  readonly variables = new Map<string, Value>()
  readonly said: string[] = []

  top(program: readonly Line[]): void {
    let at = 0
    while (at < program.length) {
      try {
        this.line(program[at] as Line)
        at++
      } catch (jump) {
        if (!(jump instanceof Jump)) throw jump
        at = program.findIndex(line => line.is === 'label' && line.name === jump.to)
      }
    }
  }

  private line(line: Line): void {
    switch (line.is) {
      case 'assign': {
        const value = this.value(line.value)
        for (const name of line.names) this.variables.set(name, copy(value))
        return
      }
      case 'element':
        this.set(line)
        return
      case 'value':
        this.value(line.value)
        return
      case 'if': {
        const found = line.branches.find(([condition]) => truth(this.value(condition)))
        if (found) this.line(found[1])
        else if (line.otherwise) this.line(line.otherwise)
        return
      }
      case 'while':
        this.loop(line)
        return
      case 'block':
        for (const inner of line.lines) this.line(inner)
        return
      case 'goto': {
        const count = this.read(line.counter) as number
        if (count < 3) {
          this.variables.set(line.counter, count + 1)
          throw new Jump(line.name)
        }
        return
      }
      case 'break':
      case 'continue':
        throw line.is
    }
  }

  private loop({ counter, rounds, body }: Line & { is: 'while' }): void {
    this.variables.set(counter, 0)
    for (let count = this.read(counter) as number; count < rounds; count = this.read(counter) as number) {
      this.variables.set(counter, count + 1)
      try {
        for (const inner of body) this.line(inner)
      } catch (jump) {
        if (jump === 'break') return
        if (jump !== 'continue') throw jump
      }
    }
  }

  private set({ name, keys, value }: Line & { is: 'element' }): void {
    const found = copy(this.value(value))
    const places = keys.map(key => this.value(key))
    let container = this.read(name)
    const last = places.pop() as Value
    for (const place of places) container = element(container, place)
    if (Array.isArray(container)) container[arrayPlace(container.length, last)] = found
    else if (container instanceof Map && typeof last === 'string') container.set(last, found)
    else throw new Abort()
  }

  private read(name: string): Value {
    const value = this.variables.get(name)
    if (value === undefined) throw new Abort()
    return value
  }

  private value(node: Node): Value {
    switch (node.is) {
      case 'constant':
        return node.value
      case 'variable':
        return copy(this.read(node.name))
      case 'array':
        return node.items.map(item => this.value(item))
      case 'map':
        return new Map(node.entries.map(([key, value]) => [key, this.value(value)]))
      case 'not':
        return !truth(this.value(node.operand))
      case 'index': {
        const keys = node.keys.map(key => this.value(key))
        return copy(keys.reduce(element, this.read(node.name)))
      }
      case 'exists':
        return this.exists(node)
      case 'call':
        return this.call(node)
      default:
        return this.binary(node)
    }
  }

  private exists(node: Node & { is: 'exists' }): boolean {
    try {
      const keys = node.keys.map(key => this.value(key))
      keys.reduce(element, this.read(node.name))
      return true
    } catch (error) {
      if (error instanceof Abort) return false
      throw error
    }
  }

  private binary({ operator, left, right }: Node & { is: 'binary' }): Value {
    const a = this.value(left)
    if (operator === 'and') return truth(a) ? this.value(right) : a
    if (operator === 'or') return truth(a) ? a : this.value(right)
    return operate(operator, a, this.value(right))
  }

  private call({ function: name, parameters }: Node & { is: 'call' }): Value {
    const change = name === 'append' || name === 'pop'
    const values = new Map(
      parameters.map(([key, value]) => [key, change && key === 'array' ? null : this.value(value)]),
    )
    const array = change ? this.read(nameOf(parameters)) : (values.get('array') as Value)
    switch (name) {
      case 'append':
        if (!Array.isArray(array)) throw new Abort()
        array.push(copy(values.get('value') as Value))
        return null
      case 'pop':
        if (!Array.isArray(array) || array.length === 0) throw new Abort()
        return array.pop() as Value
      case 'len':
        if (typeof array === 'string') return [...array].length
        if (Array.isArray(array)) return array.length
        if (array instanceof Map) return array.size
        throw new Abort()
      case 'slice': {
        const [start, end] = [values.get('start'), values.get('end')]
        if (!Number.isInteger(start) || !Number.isInteger(end)) throw new Abort()
        if (typeof array === 'string') return [...array].slice(start as number, end as number).join('')
        if (Array.isArray(array)) return array.slice(start as number, end as number)
        throw new Abort()
      }
      case 'index': {
        if (!Array.isArray(array)) throw new Abort()
        const at = array.findIndex(item => same(item, values.get('value') as Value))
        if (at < 0) throw new Abort()
        return at
      }
      default:
        this.said.push(values.get('msg') as string)
        return null
    }
  }
}

function nameOf(parameters: [string, Node][]): string {
  const first = parameters[0]?.[1]
  return first?.is === 'variable' ? first.name : ''
}

function copy(value: Value): Value {
  if (Array.isArray(value)) return value.map(copy)
  return value instanceof Map ? new Map([...value].map(([key, item]) => [key, copy(item)])) : value
}

function truth(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return false
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  return !(value instanceof Time) || value.seconds !== 0
}

function arrayPlace(length: number, key: Value): number {
  if (!Number.isInteger(key)) throw new Abort()
  const at = (key as number) < 0 ? (key as number) + length : (key as number)
  if (at < 0 || at >= length) throw new Abort()
  return at
}

function element(container: Value, key: Value): Value {
  if (Array.isArray(container)) return container[arrayPlace(container.length, key)] as Value
  if (typeof container === 'string') return [...container][arrayPlace([...container].length, key)] as string
  if (container instanceof Map && typeof key === 'string' && container.has(key)) return container.get(key) as Value
  throw new Abort()
}

function same(a: Value, b: Value): boolean {
  const plain = (value: Value) => (typeof value === 'boolean' ? Number(value) : value)
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => same(item, b[at] as Value))
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && same(item, b.get(key) as Value))
  if (a instanceof Time && b instanceof Time) return a.seconds === b.seconds
  return plain(a) === plain(b)
}

function operate(operator: string, a: Value, b: Value): Value {
  if (operator === '==') return same(a, b)
  if (operator === '!=') return !same(a, b)
  if (operator === '.') return say(a) + say(b)
  if (['<', '<=', '>', '>='].includes(operator)) return order(operator, compare(a, b))
  if (a instanceof Time || b instanceof Time) return timed(operator, a, b)
  const [x, y] = [a, b].map(value => (typeof value === 'boolean' ? Number(value) : value))
  if (typeof x !== 'number' || typeof y !== 'number') throw new Abort()
  return calculate(operator, x, y)
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  if (a instanceof Time && b instanceof Time) return a.seconds - b.seconds
  if (typeof a !== 'string' || typeof b !== 'string') throw new Abort()
  const [x, y] = [[...a], [...b]]
  for (let at = 0; at < Math.min(x.length, y.length); at++) {
    const difference = pointOf(x[at]) - pointOf(y[at])
    if (difference) return difference
  }
  return x.length - y.length
}

function pointOf(character = ''): number {
  return character.codePointAt(0) ?? 0
}

function order(operator: string, sign: number): boolean {
  return operator === '<' ? sign < 0 : operator === '<=' ? sign <= 0 : operator === '>' ? sign > 0 : sign >= 0
}

function timed(operator: string, a: Value, b: Value): Value {
  let seconds: number
  if (a instanceof Time && b instanceof Time && operator === '+') seconds = a.seconds + b.seconds
  else if (a instanceof Time && b instanceof Time && operator === '-') seconds = a.seconds - b.seconds
  else if (a instanceof Time && typeof b === 'number' && operator === '*') seconds = a.seconds * b
  else if (a instanceof Time && typeof b === 'number' && operator === '/' && b !== 0) seconds = a.seconds / b
  else throw new Abort()
  if (!Number.isFinite(seconds)) throw new Abort()
  return new Time(seconds)
}

function calculate(operator: string, x: number, y: number): number {
  const whole = Number.isInteger(x) && Number.isInteger(y)
  if ((operator === '/' || operator === '%') && y === 0) throw new Abort()
  if (operator === '^' && x === 0 && y < 0) throw new Abort()
  if (operator === '&' || operator === '|') {
    if (!whole) throw new Abort()
    return exact(operator === '&' ? BigInt(x) & BigInt(y) : BigInt(x) | BigInt(y))
  }
  if (whole && operator !== '/' && !(operator === '^' && y < 0)) {
    if (operator === '^' && Math.abs(x) > 1 && y > 1100) throw new Abort()
    const [p, q] = [BigInt(x), BigInt(y)]
    if (operator === '^') return Math.abs(x) <= 1 ? (y === 0 ? 1 : x === -1 && y % 2 === 0 ? 1 : x) : exact(p ** q)
    if (operator === '%') return exact(((p % q) + q) % q)
    return exact(operator === '+' ? p + q : operator === '-' ? p - q : p * q)
  }
  const result =
    operator === '+'
      ? x + y
      : operator === '-'
        ? x - y
        : operator === '*'
          ? x * y
          : operator === '/'
            ? x / y
            : operator === '^'
              ? x ** y
              : floorModulo(x, y)
  if (!Number.isFinite(result)) throw new Abort()
  return result
}

function floorModulo(x: number, y: number): number {
  const rest = x % y
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
}

function exact(value: bigint): number {
  const number = Number(value)
  if (!Number.isFinite(number) || BigInt(number) !== value) throw new Abort()
  return number
}

function say(value: Value, quoted = false): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted ? (value.includes("'") ? `"${value}"` : `'${value}'`) : value
  if (value instanceof Time) return clock(value.seconds)
  if (Array.isArray(value)) return value.length ? `[ ${value.map(item => say(item, true)).join(', ')} ]` : '[]'
  if (!(value instanceof Map)) return String(value === 0 ? 0 : value)
  const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => `${key}=${say(item, true)}`)
  return entries.length ? `{ ${entries.join(', ')} }` : '{}'
}

function clock(seconds: number): string {
  if (seconds < 0) return `-${clock(-seconds)}`
  const rest = Math.round((seconds % 60) * 1e6) / 1e6
  const parts = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  while (parts.length > 1 && parts[0] === 0) parts.shift()
  const [first, ...others] = parts as [number, ...number[]]
  return [String(first), ...others.map(part => String(part).padStart(2, '0')), (rest < 10 ? '0' : '') + rest].join(':')
}

function toJson(value: Value): unknown {
  if (value instanceof Time) return { $time: value.seconds + 0 }
  if (Array.isArray(value)) return value.map(toJson)
  if (!(value instanceof Map)) return value === 0 ? 0 : value
  return Object.fromEntries([...value].map(([key, item]) => [key.startsWith('$') ? `$${key}` : key, toJson(item)]))
}
