import { fail } from './failure.ts'

/** About 100 ms of work. */
export const mostSteps = 1_000_000
/** What it takes to write a list or a map, besides what is in it. */
export const stepsOfCollection = 8
/** Of the output, and of each text on the way to it, in UTF-16 units. */
export const longestText = 1_000_000
/** Of all texts and lists that one rendering makes, in characters; an item of a list counts as eight. */
const mostMemory = 48_000_000
/** Calls of the evaluator within each other: well within what the stack of JavaScript holds. */
const mostDepth = 400
/** Python refuses to print longer ones. */
const mostDigits = 4300
const mostBits = Math.ceil(mostDigits * Math.log2(10))

/**
 * What one rendering may use. Whatever makes a text, a list or a number says so before it makes it, so that no template
 * takes memory first and is refused after; whatever reads a text counts steps in proportion to it.
 */
export class Limits {
  #steps = 0
  #memory = 0
  #depth = 0

  step(count = 1): void {
    this.#steps += count
    if (this.#steps > mostSteps) fail(`it takes more than ${mostSteps} steps`)
  }

  /** A text is made. */
  text(length: number, what = 'a text'): void {
    if (length > longestText) fail(`${what} is longer than ${longestText} characters`)
    this.#take(length)
  }

  /** Items are put into lists or maps. */
  items(count: number): void {
    if (count > mostSteps) fail(`a list has more than ${mostSteps} items`)
    this.step(count)
    this.#take(count * 8)
  }

  /** A text is read through, `often` times in the worst case. */
  read(length: number, often = 1): void {
    this.step(Math.ceil((length * often) / 256))
  }

  integer(bits: number): void {
    if (bits > mostBits) fail(`a number has more than ${mostDigits} digits`)
    this.step(1 + Math.ceil(bits / 64))
  }

  enter(): void {
    if (++this.#depth > mostDepth) fail(`it is nested more than ${mostDepth} levels deep`)
  }

  leave(): void {
    this.#depth--
  }

  #take(size: number): void {
    this.#memory += size
    if (this.#memory > mostMemory) fail('it makes more and longer texts and lists than one template may')
  }
}
