import { ContractorError, isContractorError } from '@contractor/contract'
import { causesOf, isError } from './causes.ts'
import { sqlState } from './database.ts'

/**
 * What a database, its driver or drizzle throws, as an error of ours: by its SQLSTATE (PostgreSQL 18, appendix A), or by the
 * driver's own code. The message is the database's own first line at the most: never a statement, nor what it was
 * given, which may be a token's hash or a secret.
 */
export function toDatabaseError(thrown: unknown, database: string): unknown {
  if (!isError(thrown) || isContractorError(thrown)) return thrown
  const source = innermost(thrown)
  const state = sqlState(thrown)
  const options = { cause: source }
  const later = { cause: source, retryable: true }
  if (state === undefined) {
    if (!isConnectionError(thrown)) return isFailedQuery(thrown) ? failed(database, '', source) : thrown
    return new ContractorError('DATABASE_UNREACHABLE', `${database} is away: ${source.message}`, { database }, later)
  }
  const said = firstLine(source.message)
  switch (true) {
    case state === '40001' || state === '40P01':
      return new ContractorError('CONFLICT', 'Somebody else changed the same at this moment. Try it again.', {}, later)
    case state === '55P03' || state === '57014':
      return new ContractorError(
        'LOCKED',
        'What this needs is held by another transaction, which was waited for in vain. If that is your own, pass it as `tx`; else try again later.',
        { holders: [] },
        later,
      )
    case state === '23505':
      return new ContractorError('ALREADY_EXISTS', `There is one already: ${said}`, { kind: 'row', id: '' }, options)
    case state === '23503':
      return new ContractorError(
        'IN_USE',
        `Something else still needs this, or what it needs is gone: ${said}`,
        { kind: 'row', id: '', by: [] },
        options,
      )
    case state.startsWith('22') || state.startsWith('23') || state === '54000' || state === '54001':
      return new ContractorError(
        'VALIDATION_FAILED',
        `The database does not take a value: ${said}`,
        { issues: [{ path: '', message: said }] },
        options,
      )
    case outOfOrder.test(state):
      return new ContractorError('DATABASE_UNREACHABLE', `${database} does not work now: ${said}`, { database }, later)
    default:
      return failed(database, state, source)
  }
}

const failed = (database: string, state: string, cause: Error) =>
  new ContractorError('DATABASE_FAILED', `${database} failed: ${firstLine(cause.message)}`, { state }, { cause })

const connectionCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|CONNECT_TIMEOUT|CONNECTION_(CLOSED|ENDED|DESTROYED|CONNECT_TIMEOUT))$/

/** Whether the database cannot be reached, or does not work: what comes back when it does. */
export function isConnectionError(thrown: unknown): boolean {
  const state = sqlState(thrown)
  if (state !== undefined) return outOfOrder.test(state)
  for (const error of causesOf(thrown))
    if (isDriversWord(error) || /PGlite is closed|PGlite is closing/.test(error.message)) return true
  return false
}

/** The classes of SQLSTATE that say so. */
const outOfOrder = /^(08|53|57P|25006|58)/

/** Whether with this error the session is over: by the driver's word, or by the severity that the server gives it. */
export function isConnectionLost(thrown: unknown): boolean {
  for (const error of causesOf(thrown)) {
    if (isDriversWord(error)) return true
    if ('severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')) return true
  }
  return false
}

const isDriversWord = (error: Error): boolean => 'code' in error && connectionCodes.test(String(error.code))

/** drizzle's wrapper, whose message is the statement with all that it was given. */
const isFailedQuery = (error: Error) => error.message.startsWith('Failed query:')

function innermost(thrown: Error): Error {
  let error = thrown
  for (const cause of causesOf(thrown)) error = cause
  return error
}

/** Without what a value was: PostgreSQL quotes it in some messages, and it may be long. */
function firstLine(message: string): string {
  if (message.startsWith('Failed query:')) return 'a statement failed'
  const [line = ''] = message.split('\n')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
