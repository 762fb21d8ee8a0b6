/**
 * What a template, or a value in it, makes impossible. Operations on values throw it and know no place; the renderer
 * says at which line it happened.
 */
export class Failure extends Error {}

export const fail = (message: string): never => {
  throw new Failure(message)
}

/** In the template's own text. */
export class TemplateError extends Error {
  /** From 1; absent when it could not be told. */
  readonly line: number | undefined

  constructor(message: string, line: number | undefined, cause?: unknown) {
    super(message, { cause })
    this.line = line
  }
}
