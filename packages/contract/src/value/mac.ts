import { z } from 'zod'

/**
 * The spellings in use: twelve digits alone, or in groups of two, four or six with one and the same sign between them, as
 * the vendors of cards and switches each have their own; and pairs with colons whose leading zeros are not written.
 */
const grouped = /^[0-9a-f]{2}([-:. ]?)[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}$/
const inFours = /^[0-9a-f]{4}([-:. ])[0-9a-f]{4}\1[0-9a-f]{4}$/
const inSixes = /^[0-9a-f]{6}[-:. ][0-9a-f]{6}$/
const unpadded = /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/

/**
 * IPoIB's hardware address (RFC 4391, section 9.1.1): flags and queue pair, which change with each boot, subnet prefix and
 * GUID, 20 bytes in all. No part of it is the MAC of an Ethernet card, and a DHCP server sees none of it as one.
 */
const infiniband = /^(?:[0-9a-f]{2}[-:. ]?){19}[0-9a-f]{2}$/

/** The twelve digits of a MAC, or why it is none. */
function readMac(text: string): { digits: string } | { wrong: string } {
  const lower = text.trim().toLowerCase()
  const isMac = [grouped, inFours, inSixes].some(one => one.test(lower))
  if (!isMac && !unpadded.test(lower)) {
    const wrong = infiniband.test(lower)
      ? 'is the 20 byte address of an InfiniBand port, which is no MAC'
      : 'must be a MAC, such as 52:54:00:12:34:56, 52-54-00-12-34-56, 5254.0012.3456 or 525400123456'
    return { wrong }
  }
  const digits = isMac
    ? lower.replace(/[^0-9a-f]/g, '')
    : lower
        .split(':')
        .map(pair => pair.padStart(2, '0'))
        .join('')
  const wrong = whyNoCard(digits)
  return wrong === undefined ? { digits } : { wrong }
}

/** The address of a network card; gives it in lower case with colons. */
export const macText = z.string().transform((text, context) => {
  const read = readMac(text)
  if ('digits' in read) return read.digits.replace(/(..)(?=.)/g, '$1:')
  context.addIssue({ code: 'custom', message: read.wrong })
  return z.NEVER
})

/** Of what a machine reports for a MAC and is none: why; nothing where there is none to speak of, as of a loopback. */
export function whyNoMac(text: string): string | undefined {
  if (!/[1-9a-z]/i.test(text)) return undefined
  const read = readMac(text)
  return 'wrong' in read ? read.wrong : undefined
}

/** The lowest bit of the first byte marks groups (IEEE 802): no card has such an address. */
function whyNoCard(digits: string): string | undefined {
  if (/^0+$/.test(digits)) return 'is all zeros: that is no MAC of a card'
  return Number.parseInt(digits.slice(0, 2), 16) & 1 ? 'is a group address (multicast): no card has it' : undefined
}
