import type { ErrorCode } from '@contractor/contract'
import { ContractorError, isContractorError } from '@contractor/core'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'

/** What each error is in HTTP. The engine knows nothing of this. */
const statusOf: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  VALIDATION_FAILED: 422,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  IN_USE: 409,
  WRONG_STATE: 409,
  HARDWARE_MISMATCH: 409,
  LIMIT_REACHED: 503,
  JOB_REFUSED: 409,
  JOB_FAILED: 409,
  TIMED_OUT: 504,
  SCRIPT_INVALID: 422,
  FILTER_INVALID: 422,
  RESOURCE_INVALID: 422,
  CONFIG_INVALID: 422,
  SECRET_KEY_MISSING: 503,
  DEVICE_UNREACHABLE: 502,
  DEVICE_TIMED_OUT: 504,
  DEVICE_BUSY: 503,
  DEVICE_UNAUTHENTICATED: 502,
  DEVICE_UNTRUSTED: 502,
  DEVICE_ANSWER_INVALID: 502,
  DEVICE_REFUSED: 502,
  DEVICE_FULL: 507,
  DEVICE_UNSUPPORTED: 501,
  PROGRAM_MISSING: 503,
  PLUGIN_INVALID: 500,
  FUNCTION_FAILED: 500,
  TASK_FAILED: 500,
  CLAIM_LOST: 409,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  DATABASE_IN_USE: 503,
  DATABASE_NEWER: 503,
  DATABASE_UNREACHABLE: 503,
  DATABASE_FAILED: 500,
  LOCKED: 503,
  VERSION_MISMATCH: 412,
  CONFLICT: 409,
  TRANSACTION_NEEDED: 500,
  PORT_IN_USE: 500,
  SERVER_UNREACHABLE: 502,
  CLOSED: 503,
}

/** Problem details (RFC 9457), with the engine's error code and its data. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    data: z.unknown().optional(),
  })
  .meta({ id: 'Problem' })

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

export function respondProblem(
  c: Context,
  status: ContentfulStatusCode,
  code: string,
  detail: string,
  data?: unknown,
): Response {
  const body = {
    type: `urn:contractor:error:${code}`,
    title: titles[status] ?? 'Error',
    status,
    detail,
    code,
    ...(data !== undefined && { data }),
  }
  if (status === 401) c.header('WWW-Authenticate', 'Bearer')
  return c.body(JSON.stringify(body), status, { 'Content-Type': 'application/problem+json' })
}

/** Any thrown value as a reply. What is not our own error is logged and told as no more than that. */
export function respondError(c: Context, error: unknown, log: Told): Response {
  const { status, code, detail, data } = failureOf(c, error, log)
  return respondProblem(c, status, code, detail, data)
}

/** The same in a line of plain text, for whoever stands before a machine that has no use for JSON. */
export function respondErrorText(c: Context, error: unknown, log: Told): Response {
  const { status, detail } = failureOf(c, error, log)
  return c.text(`${detail}\n`, status)
}

/** Where what is not our own error is told. */
type Told = (message: string) => void

interface Failure {
  status: ContentfulStatusCode
  code: string
  detail: string
  data?: unknown
}

function failureOf(c: Context, error: unknown, log: Told): Failure {
  if (isContractorError(error)) {
    const status = statusOf[error.code]
    // What comes back by itself is worth another try; seconds (RFC 9110, section 10.2.3).
    if (error.retryable && status === 503) c.header('Retry-After', '5')
    return { status, code: error.code, detail: error.message, data: error.data }
  }
  if (error instanceof HTTPException && error.status === 400)
    return { status: 400, code: 'VALIDATION_FAILED', detail: 'The body is not valid JSON' }
  log(tellOf(error))
  return { status: 500, code: 'INTERNAL', detail: 'Something went wrong in the server; its log says what' }
}

/** For the log: where it was thrown, and not what a statement was given, which drizzle writes into its message. */
function tellOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!error.message.startsWith('Failed query:')) return error.stack ?? error.message
  return `A statement failed: ${error.cause instanceof Error ? tellOf(error.cause) : 'its cause is not known'}`
}

/** A refusal of input, as the engine's own error: one form for all of them. */
export function validationFailed(error: z.ZodError): ContractorError {
  const issues = error.issues.map(issue => ({ path: issue.path.map(String).join('.'), message: issue.message }))
  const list = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  return new ContractorError('VALIDATION_FAILED', `The request is not valid: ${list}`, { issues })
}
