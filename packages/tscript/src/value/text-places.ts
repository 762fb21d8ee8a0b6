import { isWide } from './code-points.ts'
import { KNOWN, type Meter } from './meter.ts'

/*
 * Where the code points of a text are. A loop over the characters of a text asks for its length and for one character
 * after the other; reading the whole text each time would make it quadratic. So the latest texts are kept with the
 * places of every 32nd code point, for one run; a text without surrogates needs no places.
 */

interface Known {
  text: string
  points: number
  /** The offset of each 32nd code point. Absent: units are code points. */
  marks?: Uint32Array
}

const STRIDE = 32
/** A loop often looks at two texts at once. */
const KEPT = 2
/** What is shorter is read anew: that is as fast as finding it. */
const SHORT = 64

export class TextPlaces {
  private readonly kept: Known[] = []

  count(text: string, meter: Meter): number {
    return this.find(text, meter).points
  }

  /** The code points from `start` up to before `end`; both are within the text. */
  slice(text: string, start: number, end: number, meter: Meter): string {
    const known = this.find(text, meter)
    return text.slice(offsetOf(known, start), offsetOf(known, end))
  }

  private find(text: string, meter: Meter): Known {
    if (text.length < SHORT) return read(text)
    const at = this.kept.findIndex(known => known.text === text)
    const known = at < 0 ? read(text) : (this.kept[at] as Known)
    meter.touched += at < 0 ? text.length : Math.floor(text.length * KNOWN)
    // The same object is found without looking at its characters, so the latest one is the one to keep.
    known.text = text
    if (at !== 0) {
      this.kept.splice(at < 0 ? KEPT - 1 : at, 1)
      this.kept.unshift(known)
    }
    return known
  }
}

function read(text: string): Known {
  if (!isWide(text)) return { text, points: text.length }
  const marks = new Uint32Array(Math.ceil(text.length / STRIDE) + 1)
  let points = 0
  for (let offset = 0; offset < text.length; offset += width(text, offset)) {
    if (points % STRIDE === 0) marks[points / STRIDE] = offset
    points++
  }
  return { text, points, marks }
}

function offsetOf({ text, points, marks }: Known, point: number): number {
  if (!marks) return point
  if (point >= points) return text.length
  const mark = Math.floor(point / STRIDE)
  let offset = marks[mark] as number
  for (let at = mark * STRIDE; at < point; at++) offset += width(text, offset)
  return offset
}

/** 2 for a character beyond U+FFFF. */
function width(text: string, offset: number): number {
  const unit = text.charCodeAt(offset)
  return unit >= 0xd800 && unit <= 0xdbff ? 2 : 1
}
