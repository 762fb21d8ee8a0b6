/**
 * What crosses the boundary between a program and its host, and what a saved state is made of.
 *
 * Plain JSON, with three readings of a map that has exactly one key: `{ $time: seconds }` is a time,
 * `{ $ref: id }` an opaque value of the host, `{ $secret: id }` a secret of the host (its reference, never the secret).
 * Every other key that begins with `$` is written with one more `$`, so that no map of a program can pass for one of them.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
