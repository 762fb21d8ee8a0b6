import { z } from 'zod'
import type { Json } from './json.ts'
import { cutText, findUnstorable, mendText } from './text.ts'

/**
 * Every error that Contractor raises, by code: what its `data` holds. Code matches on `code`, never on the class or
 * the text; HTTP status lives in the server.
 */
export interface ErrorData {
  VALIDATION_FAILED: { issues: { path: string; message: string }[] }
  NOT_FOUND: { kind: string; id: string | number; suggestion?: string }
  ALREADY_EXISTS: { kind: string; id: string | number }
  IN_USE: { kind: string; id: string | number; by: string[] }
  WRONG_STATE: { kind: string; id: string | number; state: string }
  /** A machine is not what the validation template of its BluePrint wants; every difference. */
  HARDWARE_MISMATCH: {
    kind: string
    id: string
    differences: { path: string; wanted: Json; found: Json; message: string }[]
  }
  /** As many of a kind are kept as may be. */
  LIMIT_REACHED: { kind: string; limit: number }
  JOB_REFUSED: { rule: string; target: string }
  /** A Job that was waited for has not been completed: it stands in error, or is over in another way. */
  JOB_FAILED: { job: number; state: string; outcome: string | null; reason: string }
  /** What was waited for has not come in time. */
  TIMED_OUT: { timeoutMs: number }
  SCRIPT_INVALID: { script: string; diagnostics: { line: number; column: number; message: string }[] }
  /** What was asked of a list is no filter of it; every mistake, at its place in the text. */
  FILTER_INVALID: { diagnostics: { line: number; column: number; message: string }[] }
  RESOURCE_INVALID: { file: string; line?: number; key?: string }
  CONFIG_INVALID: { target: string; key: string; line?: number; chain?: string[] }
  SECRET_KEY_MISSING: Record<string, never>
  PLUGIN_INVALID: { plugin: string }
  FUNCTION_FAILED: { module: string; function: string }
  TASK_FAILED: Record<string, never>
  CLAIM_LOST: { taskId: number }
  UNAUTHENTICATED: Record<string, never>
  FORBIDDEN: { needs: string }
  DATABASE_IN_USE: { database: string }
  DATABASE_NEWER: { database: string }
  DATABASE_UNREACHABLE: { database: string }
  /** What the database says that none of the others fits; its SQLSTATE, empty when the driver failed. */
  DATABASE_FAILED: { state: string }
  /** Another transaction holds what is needed; who that is, where it can be seen. */
  LOCKED: { holders: string[] }
  /** Somebody else changed it since it was read: the version that it has, and the one that was wanted. */
  VERSION_MISMATCH: { kind: string; id: string | number; version: number; wanted: number }
  /** Somebody else changed the same at the same moment. */
  CONFLICT: Record<string, never>
  /** A call outside of its caller's own transaction, which it would wait for for ever. */
  TRANSACTION_NEEDED: Record<string, never>
  PORT_IN_USE: { host: string; port: number }
  SERVER_UNREACHABLE: { url: string }
  /** Of a device that an agent works on; each is named with its address. Nothing answers there. */
  DEVICE_UNREACHABLE: { device: string }
  /** It has begun to answer, or has taken the command, and has not come to an end in time. */
  DEVICE_TIMED_OUT: { device: string }
  /** It says that it does something else just now. */
  DEVICE_BUSY: { device: string }
  /** It does not know the credentials. */
  DEVICE_UNAUTHENTICATED: { device: string }
  /** It is not shown to be the one that is meant: its certificate or host key is another, or nobody vouches for it. */
  DEVICE_UNTRUSTED: { device: string }
  /** It has answered what nobody can read, or less than a whole answer. */
  DEVICE_ANSWER_INVALID: { device: string }
  /** It has understood, and says no. */
  DEVICE_REFUSED: { device: string }
  /** It has no room for that: disk, memory, or what its quota allows. */
  DEVICE_FULL: { device: string }
  /** It cannot do that at all. */
  DEVICE_UNSUPPORTED: { device: string }
  /** The agent's machine lacks a program that does the work. */
  PROGRAM_MISSING: { program: string }
  CLOSED: Record<string, never>
}

export type ErrorCode = keyof ErrorData

export interface ContractorErrorOptions {
  cause?: unknown
  /** The same call may succeed later, unchanged. */
  retryable?: boolean
  /** How long to wait before that, in milliseconds, as the device or service itself has said. With it, it is retryable. */
  retryAfterMs?: number
}

/** The one error class. The message says what happened, to which object, and what to do next. */
export class ContractorError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ContractorError'
  readonly code: C
  readonly data: ErrorData[C]
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: C, message: string, data: ErrorData[C], options: ContractorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = data
    this.retryable = options.retryable ?? options.retryAfterMs !== undefined
    this.retryAfterMs = options.retryAfterMs
  }
}

/** One of these errors: its `code` tells what its `data` holds. */
export type AnyContractorError<C extends ErrorCode = ErrorCode> = C extends ErrorCode ? ContractorError<C> : never

/**
 * Whether a value is a ContractorError, and of that code if one is named. Looks at the shape and not at the class, so
 * that errors of a second copy of this package are recognised too.
 */
export function isContractorError<C extends ErrorCode = ErrorCode>(
  value: unknown,
  code?: C,
): value is AnyContractorError<C> {
  if (!(value instanceof Error) || value.name !== 'ContractorError' || !('code' in value)) return false
  return code === undefined || value.code === code
}

/**
 * What a handler throws when the world refuses: the message reaches the operator; `retryable` says that later may do, and
 * that nothing of this attempt is left behind; `retryAfterMs`, how much later.
 */
export function taskFailed(message: string, options: ContractorErrorOptions = {}): ContractorError<'TASK_FAILED'> {
  return new ContractorError('TASK_FAILED', message, {}, options)
}

/** Parses unknown input; a refusal is one VALIDATION_FAILED that names every wrong field of `what`. */
export function parseInput<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(input)
  if (parsed.success) {
    const path = findUnstorable(parsed.data)
    if (!path) return parsed.data
    const issue = { path: path.join('.'), message: 'holds NUL or half a character, which cannot be kept' }
    throw new ContractorError(
      'VALIDATION_FAILED',
      `${what} is not valid: ${issue.path && `${issue.path} `}${issue.message}`,
      {
        issues: [issue],
      },
    )
  }
  const issues = parsed.error.issues.map(issue => ({
    path: issue.path.map(String).join('.'),
    // Of a key that is not allowed, the issue itself says only that; within, it says why.
    message: issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message,
  }))
  const list = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  throw new ContractorError('VALIDATION_FAILED', `${what} is not valid: ${list}`, { issues }, { cause: parsed.error })
}

/** Of a message on the wire, in UTF-16 units. */
const longestMessage = 4000
/** Who says to come back later than in a day does not mean this attempt. */
const longestRetryAfterMs = 24 * 60 * 60 * 1000

/** An error as it travels in a message between agent and server. */
export const wireError = z.object({
  code: z.string(),
  message: z.string().max(longestMessage),
  retryable: z.boolean().default(false),
  /** In milliseconds. */
  retryAfterMs: z.number().int().min(0).max(longestRetryAfterMs).optional(),
})
export type WireError = z.output<typeof wireError>

/** Any thrown value as a WireError; the stack stays here. */
export function toWireError(thrown: unknown): WireError {
  const message = cutText(mendText(thrown instanceof Error ? thrown.message : String(thrown)), longestMessage)
  if (!isContractorError(thrown)) return { code: 'TASK_FAILED', message, retryable: false }
  const { code, retryable, retryAfterMs } = thrown
  return { code, message, retryable, ...toRetryAfter(retryAfterMs) }
}

function toRetryAfter(ms: number | undefined): Pick<WireError, 'retryAfterMs'> {
  if (ms === undefined || Number.isNaN(ms)) return {}
  return { retryAfterMs: Math.min(Math.max(0, Math.ceil(ms)), longestRetryAfterMs) }
}
