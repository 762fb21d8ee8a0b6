import { TScriptError } from '../errors.ts'
import type { Json } from '../json.ts'
import { STRIDE } from '../program/instruction-set.ts'
import type { Program } from '../program/program.ts'
import { Fault } from '../value/fault.ts'
import { acceptJson } from '../value/json-boundary.ts'
import { checksumOf } from './checksum.ts'
import { checkOwner, type State } from './state.ts'

/**
 * Takes a saved state for its program. Throws a TScriptError: `state-shape` for what is no state or was cut,
 * `state-version` and `state-foreign` for one of another release or program, `state-changed` where the checksum is wrong.
 */
export function parseState(value: unknown, program: Program): State {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw shape('it is not a map')
  const state = value as State
  for (const [field, fits] of FIELDS) if (!fits(state)) throw shape(`\`${field}\` is missing or of the wrong kind`)
  checkOwner(program, state)
  const { checksum, ...rest } = state
  if (checksumOf(rest) !== checksum)
    throw new TScriptError(
      'state-changed',
      'This state was cut or changed since it was saved: its checksum does not fit',
    )
  if (state.pc * STRIDE >= program.code.length) throw shape('it stands behind the end of its program')
  if (state.scopes.some(scope => scope.block >= program.blocks.length))
    throw shape('it names a block that its program does not have')
  try {
    const meter = { touched: 0 }
    acceptJson(state.variables, 'a variable', meter)
    acceptJson(state.stack, 'the stack', meter)
  } catch (error) {
    if (error instanceof Fault) throw shape(error.message)
    throw error
  }
  return state
}

function shape(reason: string): TScriptError {
  return new TScriptError('state-shape', `This is not a saved state: ${reason}`)
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isSeconds = (value: unknown): boolean =>
  value === undefined || (typeof value === 'number' && Number.isFinite(value))

const FIELDS: [string, (state: State) => boolean][] = [
  ['version', state => isCount(state.version)],
  ['program', state => typeof state.program === 'string'],
  ['checksum', state => typeof state.checksum === 'string'],
  ['pc', state => isCount(state.pc)],
  ['stack', state => Array.isArray(state.stack)],
  ['variables', state => isMap(state.variables)],
  [
    'scopes',
    state =>
      Array.isArray(state.scopes) &&
      state.scopes.every(scope => isMap(scope) && isCount(scope.block) && typeof scope.startedAt === 'number'),
  ],
  [
    'attempts',
    state =>
      state.attempts === undefined ||
      (Array.isArray(state.attempts) &&
        state.attempts.every(pair => Array.isArray(pair) && pair.length === 2 && pair.every(isCount))),
  ],
  ['pending', state => state.pending === undefined || isPending(state.pending)],
  ['stop', state => state.stop === undefined || (isMap(state.stop) && KINDS.has(state.stop.kind))],
  ['progress', state => typeof state.progress === 'number'],
  ['delayedUntil', state => isSeconds(state.delayedUntil)],
  ['startedAt', state => isSeconds(state.startedAt)],
  ['stoppedAt', state => isSeconds(state.stoppedAt)],
]

const KINDS = new Set(['done', 'paused', 'error', 'aborted', 'waiting', 'budget'])

function isPending(value: { module?: Json; function?: Json; arguments?: Json; state?: Json }): boolean {
  if (!isMap(value)) return false
  return (
    typeof value.module === 'string' &&
    typeof value.function === 'string' &&
    isMap(value.arguments) &&
    value.state !== undefined
  )
}
