import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, format, type Program } from '../src/index.ts'
import { allCases } from './case-file.ts'
import { programs, writeProgram } from './program-text.ts'

function formatted(text: string): string {
  const result = format(text)
  if (!result.ok) throw new Error(result.diagnostics[0]?.message)
  return result.text
}

/** All that a program does: everything but where it stands in the text. */
function meaning({ code, constants, variables, members, calls, blocks }: Program): unknown {
  return { code, constants, variables, members, calls, blocks: blocks.map(({ line: _, ...block }) => block) }
}

function checkFormat(script: string): void {
  const before = compile(script)
  if (!before.ok) return
  const text = formatted(script)
  expect(formatted(text), script).toBe(text)
  const after = compile(text)
  expect(after.ok && meaning(after.program), text).toEqual(meaning(before.program))
  expect(commentsOf(text)).toEqual(commentsOf(script))
}

/** Remarks of a text in which no quotes hold a #. */
function commentsOf(text: string): string[] {
  const bare = text.replace(/'[^']*'|"[^"]*"/g, quoted => quoted.replaceAll('#', '').replaceAll(/['"]/g, ''))
  return [...bare.matchAll(/#[^\r\n]*/g)].map(found => found[0].trimEnd())
}

describe('formatting keeps the meaning, and twice is once', () => {
  test.each(allCases)('$id', ({ script }) => checkFormat(script))

  test('generated programs', () => {
    fc.assert(
      fc.property(programs, lines => checkFormat(writeProgram(lines))),
      { numRuns: 80 },
    )
  })
})

describe('the house style', () => {
  test.each([
    ['a=(1+2)*-3', 'a = ( 1 + 2 ) * -3\n'],
    ['a=2-3\nb=2--3', 'a = 2 - 3\nb = 2 - -3\n'],
    ["a=len( array =[1,2,] )  .  b['k' ]", "a = len( array=[ 1, 2, ] ) . b[ 'k' ]\n"],
    ['begin()end', 'begin() end\n'],
    ['a=[ ]\nb={ }\nc=m.f( )', 'a = []\nb = {}\nc = m.f()\n'],
    ['a=b=4', 'a = b = 4\n'],
    ['', ''],
    ['\n\n\n', ''],
    ['a = 1\r\n\r\n\r\nb = 2', 'a = 1\n\nb = 2\n'],
  ])('%j', (before, after) => {
    expect(formatted(before)).toBe(after)
  })

  test('lines, blocks, branches and remarks', () => {
    const before = `

# about it
if a==1   then   # yes
begin(description="x",max_time=1:00)
# inside
      b=[1,
2, # two
   {c=3}]


      d=x[0]['k'] . m.y
  # last
end


elif not(a) then
b=-1
# before else
else if c then
b=2
else
b=3
while True do
begin() break
end
:out


`
    expect(formatted(before)).toBe(`# about it
if a == 1 then # yes
  begin( description='x', max_time=1:00 )
    # inside
    b = [ 1,
      2, # two
      { c=3 } ]

    d = x[ 0 ][ 'k' ] . m.y
    # last
  end

elif not ( a ) then
  b = -1
# before else
else if c then
  b = 2
else
  b = 3
while True do
  begin() break
  end
:out
`)
  })

  test('texts keep what is in them, over lines and with either quote', () => {
    expect(formatted(`a = "it's"\nb='say "hi"'\nc = "x\n   y"\n`)).toBe(`a = "it's"\nb = 'say "hi"'\nc = 'x\n   y'\n`)
  })

  test('a program with errors is not touched', () => {
    expect(format('a = ( 1\n')).toMatchObject({ ok: false, diagnostics: [{ line: 1, column: 5 }] })
  })
})
