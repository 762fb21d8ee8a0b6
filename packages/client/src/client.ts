import type { Event, LoadResult, Noun, nouns } from '@contractor/contract'
import type { z } from 'zod'

/** What every call takes besides its input. */
export interface CallOptions {
  /** Of a call that changes or deletes an object: VERSION_MISMATCH unless it is still of the version that was read. */
  ifVersion?: number | undefined
  signal?: AbortSignal | undefined
}

type KeyOf<N> = N extends { key: { schema: infer S extends z.ZodType } } ? z.output<S> : never

type Key<N, M> = M extends { on: 'one' } ? [key: KeyOf<N>] : []

/** What is given, as the SDK is given it. */
type Given<M> = M extends { gives: 'whole'; params: infer P; body: infer B extends z.ZodType }
  ? [input: z.input<B> & { [K in keyof P]: string }]
  : M extends { params: object }
    ? [name: string]
    : M extends { gives: readonly [infer Field extends string]; body: infer B extends z.ZodType }
      ? [z.input<B> extends infer I ? (Field extends keyof I ? I[Field] : never) : never]
      : M extends { gives: 'options' }
        ? []
        : M extends { body: infer B extends z.ZodType }
          ? [input: z.input<B>]
          : M extends { query: infer Q extends z.ZodType }
            ? [query?: z.input<Q>]
            : []

type Options<M> = M extends { gives: 'options'; body: infer B extends z.ZodType }
  ? CallOptions & z.input<B>
  : CallOptions

type Answer<M> = M extends { output: infer O extends z.ZodType }
  ? M extends { under: infer Field }
    ? z.output<O> extends infer Reply
      ? Field extends keyof Reply
        ? Reply[Field]
        : never
      : never
    : z.output<O>
  : undefined

type Call<N, M> = (...given: [...Key<N, M>, ...Given<M>, options?: Options<M>]) => Promise<Answer<M>>

/** The functions of one noun. */
export type PartOf<N extends Noun> = { readonly [Name in keyof N['methods']]: Call<N, N['methods'][Name]> }

type Nouns = (typeof nouns)[keyof typeof nouns]
type Plain = { readonly [N in Nouns as N['part'] extends `${string}.${string}` ? never : N['part']]: PartOf<N> }
type Nested = {
  readonly [N in Nouns as N['part'] extends `${infer Outer}.${string}` ? Outer : never]: {
    readonly [Inner in N['part'] extends `${string}.${infer I}` ? I : never]: PartOf<N>
  }
}

/** Everything that can be asked of a server; the functions are the SDK's. */
export type Client = Plain & Nested & Irregular

/** What is no noun's. */
interface Irregular {
  readonly events: {
    /** What followed a cursor, oldest first. */
    list(query?: { after?: string; job?: number; limit?: number }, options?: CallOptions): Promise<Event[]>
    /** What happens, as it happens, until the signal aborts; a stream that is cut goes on where it was. */
    watch(options?: { after?: string; job?: number; signal?: AbortSignal }): AsyncGenerator<Event>
  }
  readonly resources: {
    /** Loads a resource file; `file` is how messages name it. */
    loadText(text: string, file: string, options?: { dryRun?: boolean; signal?: AbortSignal }): Promise<LoadResult>
  }
}
