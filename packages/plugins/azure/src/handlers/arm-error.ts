import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'

/** How Azure says that something went wrong: in answers, and in operations. */
export interface ArmFailure {
  code?: string
  message?: string
  details?: readonly ArmFailure[]
}

/** For how long an interface is kept for the machine that could not be made, in milliseconds. */
const reservedMs = 180_000

const groups: readonly [RegExp, 'DEVICE_BUSY' | 'DEVICE_FULL' | 'DEVICE_UNSUPPORTED'][] = [
  [
    /^(AllocationFailed|ZonalAllocationFailed|OverconstrainedAllocationRequest|SkuNotAvailable|\w*QuotaExceeded|SubnetIsFull)$/,
    'DEVICE_FULL',
  ],
  [
    /^(TooManyRequests|AnotherOperationInProgress|RetryableError|OperationPreempted|Internal\w*Error|NetworkingInternalOperationError|NicInUse|ServerTimeout|ServiceUnavailable)$/,
    'DEVICE_BUSY',
  ],
  [/^(NotSupported|FeatureNotSupported\w*|OperationNotSupported)$/, 'DEVICE_UNSUPPORTED'],
]

const remedies: Readonly<Record<string, string>> = {
  AuthorizationFailed:
    'give the application a role in the resource group, as Virtual Machine Contributor and Network Contributor',
  MissingSubscriptionRegistration: 'register the resource provider in the subscription',
}

interface Details {
  status?: number
  /** When Azure says to come back, in milliseconds. */
  later?: number | undefined
}

/** By the innermost code that says what is to be done: an outer one is often only Conflict, or BadRequest. */
export function armError(
  device: string,
  what: string,
  failure: ArmFailure,
  { status = 400, later }: Details = {},
): Error {
  const all = flatten(failure)
  const codes = all.flatMap(one => one.code ?? [])
  const [outer = `status ${status}`] = codes
  const said = all.flatMap(one => one.message?.trim() || []).join(' ') || outer
  const words = `${what}: ${said} (${codes.join(', ') || outer})`
  const options = later === undefined ? {} : { retryAfterMs: later }
  if (codes.includes('NicReservedForAnotherVm'))
    return deviceError('DEVICE_BUSY', device, words, { retryAfterMs: later ?? reservedMs })
  if (codes.includes('OperationNotAllowed') && /quota/i.test(words)) return deviceError('DEVICE_FULL', device, words)
  for (const code of [...codes].reverse()) {
    const found = groups.find(([pattern]) => pattern.test(code))?.[1]
    if (found === 'DEVICE_BUSY') return deviceError('DEVICE_BUSY', device, words, options)
    if (found) return deviceError(found, device, words)
    if (/NotFound$|^InvalidResourceReference$/.test(code))
      return new ContractorError('NOT_FOUND', `${device}: ${words}`, { kind: kindOf(code, said), id: '' })
  }
  if (status === 404) return new ContractorError('NOT_FOUND', `${device}: ${words}`, { kind: kindOf('', said), id: '' })
  if (status === 412) return new ContractorError('ALREADY_EXISTS', `${device}: ${words}`, { kind: 'resource', id: '' })
  if (status === 401) return deviceError('DEVICE_UNAUTHENTICATED', device, words)
  if (status === 429 || status >= 500) return deviceError('DEVICE_BUSY', device, words, options)
  const remedy = codes.map(code => remedies[code]).find(Boolean)
  return deviceError('DEVICE_REFUSED', device, remedy === undefined ? words : `${words}. To do: ${remedy}`)
}

const flatten = (failure: ArmFailure): ArmFailure[] => [failure, ...(failure.details ?? []).flatMap(flatten)]

const kinds = /\b(subnets|virtualNetworks|networkSecurityGroups|networkInterfaces|virtualMachines|disks|images)\//g

/** As the id of what is not there names it: the innermost part. */
function kindOf(code: string, said: string): string {
  if (/Image/.test(code)) return 'image'
  if (/ResourceGroup|Subscription/.test(code)) return code.replace(/NotFound$/, '')
  const [id = said] = /\/subscriptions\/\S+/.exec(said) ?? []
  return [...id.matchAll(kinds)].at(-1)?.[1] ?? 'resource'
}
