import type { Source } from '../source.ts'
import { assemble } from './assemble.ts'
import type { Block } from './ast.ts'
import { cutPieces } from './pieces.ts'
import { scan } from './scan.ts'

/** Reads a source text. What is wrong with it is noted in `source`; the tree then has holes and must not be compiled. */
export function parse(source: Source): Block {
  return assemble(cutPieces(scan(source).tokens, source), source)
}
