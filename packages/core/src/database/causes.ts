import { types } from 'node:util'

/**
 * Whether it is an error, of whatever realm: a test runner that gives a program globals of its own (Jest does) has another
 * Error than Node's modules, which throw what a driver passes on.
 */
export const isError = (thrown: unknown): thrown is Error => thrown instanceof Error || types.isNativeError(thrown)

/** An error, what caused it, what caused that, and so on; nothing of what is no error. */
export function* causesOf(thrown: unknown): Generator<Error> {
  for (let error = thrown; isError(error); error = error.cause) yield error
}
