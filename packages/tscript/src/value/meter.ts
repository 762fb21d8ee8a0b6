/*
 * What a run has touched. An operation adds to the meter while it reads and copies; behind each instruction the machine
 * turns that into steps of the budget, and drops what does not make a whole one: what is small is free.
 *
 * Everything is counted in characters, of which 64 are a step. The rates are measured so that a step is at most 0.3 µs or
 * so, whatever is touched: a character costs up to 4 ns (copied and looked through, at two bytes each), an element of an
 * array up to 40 ns (copied, and given up by its owner), a key of a large map, which JavaScript hashes, 300 ns or more.
 */

export interface Meter {
  touched: number
}

const PER_STEP = 64
/** An element of an array that is compared, measured or copied. */
export const ELEMENT = 8
/** A container that is copied so that it can be changed, besides its elements. */
export const COPY = 64
/** An element that is turned into text, or taken over from the host. */
export const WRITTEN = 64
/** A calculation beyond what a double holds exactly. */
export const BIG_NUMBER = 192
/** A fault that `exists( … )` takes. */
export const FAULT = 1024
/**
 * Of each character of a text whose places are known. It is most often the same object, found at once; but it may be one that
 * was joined anew, which is copied to be compared, and JavaScript does not tell.
 */
export const KNOWN = 1 / 4

const KEY = 64
/** JavaScript keeps maps of up to so many keys as it keeps arrays. */
const SMALL_MAP = 32

/** What so many keys of a map cost. */
export function keysCost(count: number): number {
  return count * (count > SMALL_MAP ? KEY : ELEMENT)
}

/** The steps that were touched since the last time. */
export function takeSteps(meter: Meter): number {
  const steps = Math.floor(meter.touched / PER_STEP)
  meter.touched = 0
  return steps
}
