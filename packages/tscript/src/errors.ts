/** Misuse of the API: a state that does not belong to its program, a version that is not known. A script's faults are stops. */
export class TScriptError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'TScriptError'
    this.code = code
  }
}
