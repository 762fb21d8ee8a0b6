import type { DeviceErrorCode } from '@contractor/driver'

/** What ipmitool writes when it fails, and what that means: the first row that fits. Read from version 1.8.19. */
const failures: readonly { words: RegExp; code: DeviceErrorCode; says?: string }[] = [
  {
    words:
      /RAKP 2 HMAC is invalid|unauthorized name|RAKP 2 message indicates an error|Invalid user ?name|invalid password/i,
    code: 'DEVICE_UNAUTHENTICATED',
    says: 'it does not know this user or this password',
  },
  {
    words: /insufficient privilege|privilege level (is )?not (supported|sufficient)/i,
    code: 'DEVICE_REFUSED',
    says: 'its user may not do that',
  },
  {
    words: /invalid (authentication|integrity|confidentiality) algorithm|cipher suite|no matching/i,
    code: 'DEVICE_UNSUPPORTED',
    says: 'it does not know the cipher suite: set ipmi_cipher to one that it knows',
  },
  {
    words: /node busy|insufficient resources|BMC (is )?busy|initialization in progress/i,
    code: 'DEVICE_BUSY',
    says: 'it is busy',
  },
  {
    words: /address lookup for .* failed|could not open socket|no route to host|network is unreachable/i,
    code: 'DEVICE_UNREACHABLE',
    says: 'there is no way to it',
  },
  {
    words:
      /authentication capabilities|auth capabilities error|no response|unable to establish|close session|connection timeout/i,
    code: 'DEVICE_UNREACHABLE',
    says: 'nothing answers by IPMI v2.0 there',
  },
  { words: /timeout/i, code: 'DEVICE_TIMED_OUT', says: 'it did not answer in time' },
  {
    words: /invalid command|not supported|unsupported|illegal command|command illegal/i,
    code: 'DEVICE_UNSUPPORTED',
    says: 'it cannot do that',
  },
]

export const findFailure = (text: string): { code: DeviceErrorCode; says?: string } =>
  failures.find(one => one.words.test(text)) ?? { code: 'DEVICE_REFUSED' }

/** Of a session that the cipher suite alone has failed. */
export const isCipherFailure = (text: string): boolean =>
  /invalid (authentication|integrity|confidentiality) algorithm|cipher suite|no matching/i.test(text) &&
  !/RAKP 2 HMAC is invalid|unauthorized name/i.test(text)
