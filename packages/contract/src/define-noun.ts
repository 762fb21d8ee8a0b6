import type { z } from 'zod'
import type { Methods } from './method.ts'

/** A kind of object, or of things that can be asked, as the SDK, REST, the client and the command have it. */
export interface Noun {
  /** As messages, events and the OpenAPI document name one. */
  readonly name: string
  /** Under `/api/v1/`, and as the command names it. */
  readonly path: string
  /** Of the SDK and of the client. */
  readonly part: string
  /** By what one of them is known; none where there is nothing to name. */
  readonly key?: NounKey
  readonly methods: Methods
  /** What may happen to one: its events are named `SUBJECT.EVENT`. */
  readonly subject?: string
  readonly events?: readonly string[]
}

export interface NounKey {
  readonly name: string
  readonly schema: z.ZodType<string | number>
}

/** Declares a noun, once: in `nouns/`, and in the list of all of them. */
export const defineNoun = <const N extends Noun>(noun: N): N => noun
