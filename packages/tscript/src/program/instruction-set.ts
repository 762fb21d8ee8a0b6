/**
 * Version 1 of the instructions. A program is a flat list of numbers, three an instruction: operation, first and second
 * operand. Programs are stored and continued by later releases, so a number never changes its meaning: what must change
 * gets a new number, or a new version beside this one.
 *
 * `v` a variable's number, `m` a module value's, `k` a constant's, `c` a call's, `b` a block's, `t` a target, `n` a count.
 * `[ … ]` is what an operation takes from the stack and leaves on it.
 */
export const VERSION = 1

export const Op = {
  /** The end of the program. */
  end: 0,
  /** k [ → value ] */
  constant: 1,
  /** v [ → value ] */
  load: 2,
  /** v [ → value ] for a next operation that keeps nothing of it */
  borrow: 3,
  /** v [ value → ] */
  store: 4,
  /** v n [ n keys → element ] */
  loadPath: 5,
  /** v n [ value, n keys → ] */
  storePath: 6,
  /** m [ → value ] */
  loadModule: 7,
  /** m [ value → ] */
  storeModule: 8,
  /** m n [ value, n keys → ] */
  storeModulePath: 9,
  /** [ container, key → element ] */
  index: 10,
  /** [ value → value, value ] */
  duplicate: 11,
  /** [ value → ] */
  drop: 12,
  /** n [ n items → array ] */
  array: 13,
  /** k: the array of keys [ as many values → map ] */
  map: 14,
  /** [ value → boolean ] */
  not: 15,
  /** t */
  jump: 16,
  /** t [ value → ] */
  jumpIfFalse: 17,
  /** t [ value → ] */
  jumpIfTrue: 18,
  /** t [ value → value ] and jump if false, else [ value → ] */
  and: 19,
  /** t [ value → value ] and jump if true, else [ value → ] */
  or: 20,
  /** [ left, right → value ], as are all to `notLess` */
  add: 21,
  subtract: 22,
  multiply: 23,
  divide: 24,
  modulo: 25,
  power: 26,
  bitAnd: 27,
  bitOr: 28,
  join: 29,
  equal: 30,
  notEqual: 31,
  less: 32,
  lessOrEqual: 33,
  greater: 34,
  greaterOrEqual: 35,
  /** b: enters a block */
  enter: 36,
  /** leaves the innermost block */
  leave: 37,
  /** t n: leaves n blocks and jumps */
  exit: 38,
  /** t: leaves every block and jumps */
  goto: 39,
  /** t: until `endTry`, a fault drops what was put on the stack since, puts False there and jumps */
  try: 40,
  /** [ value → True ] */
  endTry: 41,
  /** v n [ n keys → length ] */
  lengthPath: 42,
  /** v n [ n keys, value → None ] */
  appendPath: 43,
  /** v n [ n keys, index → element ] */
  popPath: 44,
  /** m n [ n keys, value → None ] */
  appendModule: 45,
  /** m n [ n keys, index → element ] */
  popModule: 46,
  /** [ array, value → None ] */
  appendValue: 47,
  /** [ array, index → element ] */
  popValue: 48,
  /** c [ arguments → value ] a built-in function */
  builtin: 49,
  /** c [ arguments → value ] a function of the host */
  call: 50,
} as const

export type OpName = keyof typeof Op

/** How many numbers make an instruction. */
export const STRIDE = 3
