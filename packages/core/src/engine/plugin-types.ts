import type { Json } from '@contractor/contract'
import type { ComplexPlugin, FoundationPlugin, Plugin } from '@contractor/plugin'
import type { z } from 'zod'

/**
 * What follows, for the compiler, from the plugins that an engine was given: the types of Foundations and Complexes, and
 * their fields. Where the plugins are not known one by one (`readonly Plugin[]`), a type is any text, and fields are JSON.
 */
export type Plugins = readonly Plugin[]

/** In place of plugins that nobody names: an engine of whatever plugins is one of these too. */
// biome-ignore lint/suspicious/noExplicitAny: of no other type is a type argument both above and below all others
export type AnyPlugins = any

type IsAny<P> = 0 extends 1 & P ? true : false

type Named<Kind, Type> = Kind extends { type: infer Own } ? (Type extends Own ? Kind : never) : never
/** The schema of a type's fields. */
type FieldsOf<Kind, Type> = Named<Kind, Type> extends { fields: infer Fields extends z.ZodObject } ? Fields : never

/** The plugins of Foundation types among these. */
export type FoundationKind<P extends Plugins> =
  IsAny<P> extends true ? FoundationPlugin : Extract<P[number], FoundationPlugin>
/** The plugins of Complex types, those that Foundation types stand on among them. */
export type ComplexKind<P extends Plugins> = IsAny<P> extends true ? ComplexPlugin : KnownComplexKind<P>
type KnownComplexKind<P extends Plugins> = Extract<P[number], ComplexPlugin> | ComplexBelow<FoundationKind<P>>
type ComplexBelow<Kind> = Kind extends { complex?: infer Complex extends ComplexPlugin } ? Complex : never

/** The names of types; any text where the plugins are not known. */
export type FoundationTypeOf<P extends Plugins> = FoundationKind<P>['type']
export type ComplexTypeOf<P extends Plugins> = ComplexKind<P>['type']

/** Whether plugins are known one by one. */
type IsKnown<Type> = string extends Type ? false : true

type AnyFields = Record<string, Json>
type Input<Fields extends z.ZodObject> = { [K in keyof z.input<Fields>]: z.input<Fields>[K] }
type Output<Fields extends z.ZodObject> = { [K in keyof z.output<Fields>]: z.output<Fields>[K] }

/** `fields` as they are given: optional where none of them must be. */
export type GivenFields<Kind, Type> =
  IsKnown<Type> extends false
    ? { fields?: AnyFields }
    : Record<never, never> extends Input<FieldsOf<Kind, Type>>
      ? { fields?: Input<FieldsOf<Kind, Type>> }
      : { fields: Input<FieldsOf<Kind, Type>> }

/** As they are shown. */
export type ShownFields<Kind, Type> = IsKnown<Type> extends false ? AnyFields : Output<FieldsOf<Kind, Type>>

/** As they are changed: what is not given stays, and null takes one away. */
export type ChangedFields<Kind, Type> =
  IsKnown<Type> extends false
    ? AnyFields
    : { [K in keyof Input<FieldsOf<Kind, Type>>]?: Input<FieldsOf<Kind, Type>>[K] | null }
