import { suggestName } from '../language/nearest.ts'
import type { Source } from '../source.ts'
import type { Name } from '../syntax/ast.ts'
import type { Uses } from './uses.ts'

/** Words that may have been meant where a name stands by itself. */
const WORDS = ['end', 'else', 'break', 'continue', 'pass', 'True', 'False', 'None']

/**
 * A variable that is read and nowhere set. A warning, not an error: whether the place is ever reached is not known
 * (`( False and missing )` is fine).
 */
export function checkVariables(uses: Uses, source: Source): void {
  const set = new Set(uses.writes.map(write => write.name))
  const asked = new Set(uses.tries.map(read => read.name))
  const told = new Set<string>()
  for (const read of uses.reads) {
    if (source.full) return
    if (set.has(read.name) || asked.has(read.name) || told.has(read.name)) continue
    told.add(read.name)
    source.warn(
      'variable',
      read.at,
      `The variable \`${read.name}\` is read here, but nowhere set`,
      suggestName(read.name, [...set, ...WORDS]),
    )
  }
  for (const member of uses.memberReads) noteJoin(member, member.module, set, source)
}

/** `( a.b )` reads a value of the module a. Where a is a variable, `( a . b )` was meant. */
function noteJoin(member: Name, module: string, set: ReadonlySet<string>, source: Source): void {
  if (!set.has(module)) return
  const text = `\`${module}.${member.name}\` is a value of a module \`${module}\`, but \`${module}\` is a variable here`
  source.warn('join', member.at, text, `To join, put blanks around the point: ${module} . ${member.name}`)
}
