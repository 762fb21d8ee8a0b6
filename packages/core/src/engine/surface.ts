import { ContractorError, isContractorError, type Noun, nouns } from '@contractor/contract'
import { toDatabaseError } from '../database/database-error.ts'
import { describeHolder, findLongTransactions } from '../database/lock-holders.ts'
import { callWaitMs } from '../database/open-postgres.ts'
import type { Engine } from './engine.ts'

/**
 * What the SDK shows of a part of the engine: the same functions, with what holds for each of them. After `close()` every
 * call says CLOSED; a call that would wait for its own caller's transaction is refused, and one that is given a version which
 * it does not look at; and what the database throws comes as an error of ours.
 */
export function surface<T extends object>(engine: Engine, part: T): T {
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(part))
    shown[name] = typeof value === 'function' ? guard(engine, name, value as AnyFunction) : value
  return shown as T
}

type AnyFunction = (...given: unknown[]) => unknown

function guard(engine: Engine, name: string, run: AnyFunction): AnyFunction {
  if (Object.prototype.toString.call(run) === '[object AsyncGeneratorFunction]')
    return (...given) => follow(engine, given, run as (...given: unknown[]) => AsyncGenerator)
  return (...given) => {
    let result: unknown
    try {
      refuse(engine, given.at(-1))
      refuseVersion(name, given.at(-1))
      result = run(...given)
    } catch (error) {
      return Promise.reject(toDatabaseError(error, nameOf(engine)))
    }
    if (!(result instanceof Promise)) return result
    return result.catch(async (error: unknown) => {
      throw await shownError(engine, error)
    })
  }
}

const nameOf = ({ database }: Engine) => `The database in ${database.name}`

function refuse(engine: Engine, options: unknown): void {
  if (engine.closing.aborted) throw closed()
  const takesPart = typeof options === 'object' && options !== null && 'tx' in options && options.tx !== undefined
  if (!takesPart && engine.database.waitsForCaller()) {
    throw new ContractorError(
      'TRANSACTION_NEEDED',
      'This call stands inside of a transaction on the same embedded database, which has one session: it would wait for that transaction for ever. Pass the transaction as `tx`, or call after it.',
      {},
    )
  }
}

/** The functions that look at `ifVersion`, by the nouns' declarations; `setState` is another name of some of them. */
const versioned = new Set([
  'setState',
  ...(Object.values(nouns) as Noun[]).flatMap(({ methods }) =>
    Object.entries(methods).flatMap(([name, { ifVersion }]) => (ifVersion ? [name] : [])),
  ),
])

/** Whoever says which version it must be relies on that. */
function refuseVersion(name: string, options: unknown): void {
  const isGiven =
    typeof options === 'object' && options !== null && 'ifVersion' in options && options.ifVersion !== undefined
  if (!isGiven || versioned.has(name)) return
  const message = 'is not taken here: this changes no object, or one in whichever version it is'
  throw new ContractorError('VALIDATION_FAILED', `ifVersion ${message}`, { issues: [{ path: 'ifVersion', message }] })
}

export const closed = () =>
  new ContractorError('CLOSED', 'This Contractor is closed: make another one with createContractor', {})

async function shownError(engine: Engine, error: unknown): Promise<unknown> {
  const shown = toDatabaseError(error, nameOf(engine))
  if (isContractorError(shown, 'LOCKED') && shown !== error) return withHolders(engine, shown)
  if (!isContractorError(shown, 'DATABASE_UNREACHABLE')) return shown
  return engine.closing.aborted ? closed() : shown
}

/** Says who it is that was waited for, as far as that can be seen. */
async function withHolders(engine: Engine, error: ContractorError<'LOCKED'>): Promise<ContractorError<'LOCKED'>> {
  if (engine.database.kind === 'pglite') return error
  const found = await findLongTransactions(engine.db, callWaitMs / 2).catch(() => [])
  if (!found.length) return error
  const holders = found.map(describeHolder)
  const { cause } = error
  const message = `${error.message} Open for so long: ${holders.join('; ')}.`
  return new ContractorError('LOCKED', message, { holders }, { cause, retryable: true })
}

async function* follow(
  engine: Engine,
  given: readonly unknown[],
  run: (...given: unknown[]) => AsyncGenerator,
): AsyncGenerator {
  try {
    refuse(engine, given.at(-1))
    yield* run(...given)
  } catch (error) {
    throw await shownError(engine, error)
  }
}
