import { type DeviceErrorCode, deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'

type Code = DeviceErrorCode | 'NOT_FOUND' | 'ALREADY_EXISTS'

/** What vSphere's faults mean, by their types; what is not here is a refusal. */
const codes: Readonly<Record<string, Code>> = {
  InvalidLogin: 'DEVICE_UNAUTHENTICATED',
  NotAuthenticated: 'DEVICE_UNAUTHENTICATED',
  InvalidGuestLogin: 'DEVICE_UNAUTHENTICATED',
  TaskInProgress: 'DEVICE_BUSY',
  ConcurrentAccess: 'DEVICE_BUSY',
  ResourceInUse: 'DEVICE_BUSY',
  GuestOperationsUnavailable: 'DEVICE_BUSY',
  NoDiskSpace: 'DEVICE_FULL',
  InsufficientStorageSpace: 'DEVICE_FULL',
  InsufficientResourcesFault: 'DEVICE_FULL',
  InsufficientHostCapacityFault: 'DEVICE_FULL',
  InsufficientMemoryResourcesFault: 'DEVICE_FULL',
  InsufficientCpuResourcesFault: 'DEVICE_FULL',
  DuplicateName: 'ALREADY_EXISTS',
  AlreadyExists: 'ALREADY_EXISTS',
  FileAlreadyExists: 'ALREADY_EXISTS',
  ManagedObjectNotFound: 'NOT_FOUND',
  NotFound: 'NOT_FOUND',
  FileNotFound: 'NOT_FOUND',
  HostNotConnected: 'DEVICE_UNREACHABLE',
  HostNotReachable: 'DEVICE_UNREACHABLE',
  HostCommunication: 'DEVICE_UNREACHABLE',
  Timedout: 'DEVICE_TIMED_OUT',
  NotSupported: 'DEVICE_UNSUPPORTED',
  RestrictedVersion: 'DEVICE_UNSUPPORTED',
  VAppNotRunning: 'DEVICE_REFUSED',
}

const hints: Readonly<Record<string, string>> = {
  RestrictedVersion: 'its licence lets programs read only',
  InvalidLogin: 'it does not know this user or this password',
}

/** The type of a fault, which a coded error has as its cause. */
class VimFault extends Error {
  override readonly name = 'VimFault'
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

export const isFault = (error: unknown, ...types: string[]): boolean =>
  error instanceof Error && error.cause instanceof VimFault && types.includes(error.cause.type)

/** `type` is empty where the answer has no fault of vSphere's own. */
export function faultError(name: string, what: string, type: string, words: string): Error {
  const said = [words.trim(), hints[type]].filter(Boolean).join('; ')
  const message = `${what} has failed (${[type, said].filter(Boolean).join(': ')})`
  const code = codes[type] ?? 'DEVICE_REFUSED'
  const cause = new VimFault(type, words)
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS')
    return new ContractorError(code, `${name}: ${message}`, { kind: 'object', id: '' }, { cause })
  return deviceError(code, name, message, { cause })
}
