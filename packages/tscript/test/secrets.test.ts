import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, createState, type Host, inspect, type Json, run } from '../src/index.ts'
import { createStillHost, playToEnd } from './playing-host.ts'
import { programs, writeProgram } from './program-text.ts'

const CANARY = 'CANARY-c0ffee'

/** Keeps the secrets of its programs; a reference says nothing of what it stands for. */
function createVault(clock = { now: 0 }) {
  const contents = new Map<string, string>([['ref-0', CANARY]])
  const received: Json[] = []
  const host: Host = createStillHost(clock, {
    get: () => ({ value: { $secret: 'ref-0' } }),
    call: call => {
      received.push(call.arguments)
      return { kind: 'value', value: null }
    },
    joinSecret(parts) {
      const reference = `ref-${contents.size}`
      contents.set(
        reference,
        parts
          .map(part =>
            typeof part === 'string' ? part : (contents.get((part as { $secret: string }).$secret) as string),
          )
          .join(''),
      )
      return { $secret: reference }
    },
  })
  return { host, contents, received }
}

function play(script: string) {
  const compiled = compile(script)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(found => found.message).join('\n'))
  const vault = createVault()
  const state = run(compiled.program, createState(compiled.program), vault.host)
  return { ...vault, state, program: compiled.program }
}

describe('a secret', () => {
  test('is held, passed to calls and joined into a new secret', () => {
    const { state, received, contents } = play(
      "a = vault.password\nb = [ a ]\nc = ( 'user:' . a . '@' . 5 )\nhost.login( with=c, list=b )\n",
    )
    expect(state.stop?.kind).toBe('done')
    expect(received).toEqual([{ with: state.variables.c, list: [{ $secret: 'ref-0' }] }])
    expect(contents.get((state.variables.c as { $secret: string }).$secret)).toBe(`user:${CANARY}@5`)
    expect(JSON.stringify(state)).not.toContain(CANARY)
  })

  test('is compared with None only', () => {
    const { state } = play(
      'a = ( vault.password == None )\nb = ( None != vault.password )\nif vault.password then c = 1\n',
    )
    expect(state.variables).toEqual({ a: false, b: true, c: 1 })
    for (const other of ["'x'", 'vault.password', 'True', '[ vault.password ]', '5']) {
      expect(play(`a = ( vault.password == ${other} )\n`).state.stop, other).toMatchObject({ kind: 'aborted' })
    }
    expect(play('a = ( [ vault.password ] == [ vault.password ] )\n').state.stop?.kind).toBe('aborted')
  })

  test.each([
    'vault.password + 1',
    'vault.password[ 0 ]',
    'len( array=vault.password )',
    'slice( array=vault.password, start=0, end=1 )',
    "vault.password < 'z'",
    "'x' . [ vault.password ]",
    '{ k=1 }[ vault.password ]',
    'index( array=[ 1 ], value=vault.password )',
  ])('%s is an error that does not show it', use => {
    const { stop } = play(`a = ${use}\n`).state
    expect(stop?.kind).toBe('aborted')
    expect(JSON.stringify(stop)).not.toMatch(/CANARY|ref-/)
  })

  test.each(['pause', 'error', 'message', 'fatal_error'])('%s shows ***', name => {
    expect(play(`${name}( msg=( 'it is ' . vault.password ) )\n`).state.stop).toMatchObject({ message: '***' })
    expect(play(`${name}( msg=[ 1, { k=vault.password } ] )\n`).state.stop).toMatchObject({
      message: '[ 1, { k=*** } ]',
    })
  })

  test('is *** in the inspector, also in a pending call', () => {
    const compiled = compile('a = vault.password\nb = { k=[ a ] }\nhost.login( with=a )\n')
    if (!compiled.ok) throw new Error()
    const { host } = createVault()
    host.call = call => ({ kind: 'pending', state: { kept: call.arguments.with as Json } })
    const state = run(compiled.program, createState(compiled.program), host)
    const seen = inspect(compiled.program, state, 0)
    expect(seen.variables).toEqual({ a: '***', b: { k: ['***'] } })
    expect(seen.pending).toEqual({
      module: 'host',
      function: 'login',
      arguments: { with: '***' },
      state: { kept: '***' },
    })
  })

  test('cannot be joined where the host does not join', () => {
    const compiled = compile("a = ( 'x' . vault.password )\n")
    if (!compiled.ok) throw new Error()
    const host = createStillHost(undefined, { get: () => ({ value: { $secret: 'ref-0' } }) })
    expect(run(compiled.program, createState(compiled.program), host).stop).toMatchObject({
      kind: 'aborted',
      message: 'A secret cannot be joined here',
    })
  })
})

test('a canary never shows in a state, message or inspection of a generated program', () => {
  const planted =
    "n2 = vault.password\nt1 = ( 'the ' . vault.password )\na1 = [ vault.password, 1 ]\nm1 = { one=vault.password, two=[ t1 ] }\n"
  fc.assert(
    fc.property(programs, fc.boolean(), (lines, early) => {
      const text = writeProgram(lines)
      const after = early ? 'd1 = 1:30\n' : ':la\n'
      const script = text.replace(after, after + planted)
      const compiled = compile(script)
      if (!compiled.ok) throw new Error(script)
      const clock = { now: 0 }
      const { host } = createVault(clock)
      playToEnd(compiled.program, host, clock, state => {
        expect(JSON.stringify(state)).not.toContain(CANARY)
        expect(JSON.stringify(state.stop ?? null), script).not.toContain('ref-')
        expect(JSON.stringify(inspect(compiled.program, state, clock.now)), script).not.toMatch(/CANARY|ref-/)
        return state
      })
    }),
    { numRuns: 60 },
  )
})
