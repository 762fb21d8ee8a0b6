import { ContractorError, type ErrorCode } from '@contractor/plugin'

/** What a device can do wrong, as codes; see their meaning at `ErrorData`. */
export type DeviceErrorCode = Extract<ErrorCode, `DEVICE_${string}`>

/**
 * Later may do for these, unchanged: nothing was done, or it can be seen what was. The others need somebody who changes
 * something first.
 */
const passing: readonly DeviceErrorCode[] = [
  'DEVICE_UNREACHABLE',
  'DEVICE_TIMED_OUT',
  'DEVICE_BUSY',
  'DEVICE_ANSWER_INVALID',
]

export interface DeviceErrorOptions {
  cause?: unknown
  /** Whether later may do; by its code unless said. */
  retryable?: boolean
  /** As the device itself has said, in milliseconds. */
  retryAfterMs?: number
}

/** A failure of a device: what it is, of which device, in that device's own words, and what to do next. Never a secret. */
export function deviceError(
  code: DeviceErrorCode,
  device: string,
  message: string,
  { retryable = passing.includes(code), ...options }: DeviceErrorOptions = {},
): ContractorError<DeviceErrorCode> {
  return new ContractorError(code, `${device}: ${message}`, { device }, { retryable, ...options })
}
