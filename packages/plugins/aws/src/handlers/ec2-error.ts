import { deviceError } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'

/** What the SDK throws: EC2's own code as its name, or the failure of the connection, the credentials or its parser. */
interface Ec2Failure {
  name?: string
  message?: string
  code?: string
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean }
  $response?: { headers?: Readonly<Record<string, string>> }
}

/** When EC2 has had too many requests, and does not say when to come back, in milliseconds. */
const throttledMs = 10_000

/** What EC2 means by a code that begins so and ends with `.NotFound`, `.Malformed` or `.Unavailable`. */
const kinds: Readonly<Record<string, string>> = {
  InvalidAMIID: 'image',
  InvalidInstanceID: 'instance',
  InvalidSubnetID: 'subnet',
  InvalidSubnet: 'subnet',
  InvalidGroup: 'security group',
  InvalidGroupId: 'security group',
  InvalidSecurityGroupID: 'security group',
  InvalidKeyPair: 'key',
  InvalidAllocationID: 'elastic IP',
  InvalidLaunchTemplateId: 'launch template',
  InvalidLaunchTemplateName: 'launch template',
}

/** The groups of https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, by what is to be done. */
const groups: readonly [RegExp, (device: string, words: string, failure: Ec2Failure) => Error][] = [
  [
    /^(RequestLimitExceeded|Throttling(Exception)?|RequestThrottled(Exception)?|EC2ThrottledException|TooManyRequests)$/,
    (device, words, failure) => {
      const seconds = Number(failure.$response?.headers?.['retry-after'] ?? Number.NaN)
      return deviceError('DEVICE_BUSY', device, words, {
        retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : throttledMs,
      })
    },
  ],
  [
    /^(AuthFailure|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationToken|ExpiredToken(Exception)?|OptInRequired|Blocked|PendingVerification)$/,
    (device, words) => deviceError('DEVICE_UNAUTHENTICATED', device, words),
  ],
  [
    /^(RequestExpired|RequestTimeTooSkewed|RequestInTheFuture)$/,
    (device, words) =>
      deviceError('DEVICE_UNAUTHENTICATED', device, `${words}: the clock of the agent’s machine is wrong, set it`),
  ],
  [
    /^UnauthorizedOperation$/,
    (device, words) => {
      const [said = words] = words.split(/\s*Encoded authorization failure message:/)
      const remedy = 'let its user or role do that; the agent’s log has the whole message'
      return deviceError('DEVICE_REFUSED', device, `${said} (${remedy})`)
    },
  ],
  [
    /^(Insufficient\w*|\w*LimitExceeded|MaxIOPSLimitExceeded|MaxSpotInstanceCountExceeded|VcpuLimitExceeded)$/,
    (device, words) => deviceError('DEVICE_FULL', device, words),
  ],
  [
    /^(Incorrect\w*State|IncorrectState\w*|ConcurrentTagAccess|DependencyViolation|InternalError|InternalFailure|ServerInternal|ServiceUnavailable|Unavailable)$/,
    (device, words) => deviceError('DEVICE_BUSY', device, words),
  ],
  [/^Unsupported\w*$/, (device, words) => deviceError('DEVICE_UNSUPPORTED', device, words)],
]

export function toDeviceError(device: string, thrown: unknown): Error {
  if (thrown instanceof ContractorError) return thrown
  const failure = (thrown ?? {}) as Ec2Failure
  const { name = '', message = '', $metadata: { httpStatusCode: status } = {} } = failure
  if (status === undefined || !isEc2Code(name)) return toConnectionError(device, failure, thrown)
  return codeError(device, name, message, failure)
}

/** By EC2's code, whether it came as an answer or as the reason of a state: `Client.VolumeLimitExceeded`. */
function codeError(device: string, given: string, message: string, failure: Ec2Failure = {}): Error {
  const code = given.replace(/^(Client|Server)\./, '')
  const words = `${message.trim()} (${code})`
  const [, subject = ''] =
    /^(\w+)\.(NotFound(Exception)?|Malformed|Unavailable|Duplicate|NotFoundException)$/.exec(code) ?? []
  const kind = kinds[subject]
  if (kind !== undefined || /\.NotFound/.test(code))
    return new ContractorError('NOT_FOUND', `${device}: ${words}`, { kind: kind ?? subject, id: '' })
  const found = groups.find(([pattern]) => pattern.test(code))
  if (found) return found[1](device, words, failure)
  const status = failure.$metadata?.httpStatusCode ?? 400
  if (status === 401) return deviceError('DEVICE_UNAUTHENTICATED', device, words)
  return deviceError(status >= 500 || status === 429 ? 'DEVICE_BUSY' : 'DEVICE_REFUSED', device, words)
}

/** Why an instance has ended: nothing that passes by itself, whatever its code. */
export function endError(device: string, code: string, message: string): Error {
  const error = codeError(device, code, message)
  if (!isContractorError(error) || !error.retryable) return error
  return deviceError('DEVICE_REFUSED', device, `${message} (${code})`)
}

/** What the SDK calls an answer that it cannot read is no code of EC2. */
const isEc2Code = (name: string) =>
  /^[A-Z][\w.]+$/.test(name) && !/^(SyntaxError|TypeError|Error|UnknownError|Unknown)$/.test(name)

function toConnectionError(
  device: string,
  { name = '', message = '', code = '', $metadata }: Ec2Failure,
  cause: unknown,
) {
  const words = message.trim()
  if (/Credential|TokenProviderError/.test(name)) {
    const remedy = 'give the Foundation awsec2_access_key_id and awsec2_secret_access_key, or the agent a role'
    return deviceError('DEVICE_UNAUTHENTICATED', device, `there are no credentials for it (${words}): ${remedy}`, {
      cause,
    })
  }
  if (/region is missing/i.test(words)) {
    const remedy = 'set awsec2_region, or AWS_REGION where the agent runs'
    return deviceError('DEVICE_REFUSED', device, `nobody says which region is meant: ${remedy}`, { cause })
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    const remedy = 'nobody whom the agent’s machine trusts vouches for its certificate'
    return deviceError('DEVICE_UNTRUSTED', device, `${remedy} (${words})`, { cause })
  }
  if (/^E[A-Z_]+$/.test(code) && code !== 'ECONNRESET' && !/^ERR/.test(code))
    return deviceError('DEVICE_UNREACHABLE', device, `nothing answers there (${words})`, { cause })
  const status = $metadata?.httpStatusCode
  if (status !== undefined && status >= 500)
    return deviceError('DEVICE_BUSY', device, `it answers ${status} (${words})`, { cause })
  const said = status === undefined ? '' : `, with status ${status}`
  return deviceError('DEVICE_ANSWER_INVALID', device, `its answer was cut short, or cannot be read${said} (${words})`, {
    cause,
  })
}
