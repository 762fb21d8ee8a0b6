import type { Source } from '../source.ts'
import type { Block } from '../syntax/ast.ts'
import { checkCalls } from './calls.ts'
import { checkFlow } from './flow.ts'
import type { HostNames } from './host-names.ts'
import { collectUses } from './uses.ts'
import { checkVariables } from './variables.ts'

/** Everything that can be known before a program runs, noted in `source`. */
export function check(root: Block, source: Source, names: HostNames | undefined): void {
  const uses = collectUses(root)
  checkCalls(uses, source, names)
  checkVariables(uses, source)
  checkFlow(root, source)
}
