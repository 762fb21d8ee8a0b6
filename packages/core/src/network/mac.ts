import { z } from 'zod'

/** The spellings in use: pairs with colons or hyphens, groups of four with dots, and digits alone. */
const spellings = [
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/,
  /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/,
  /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/,
  /^[0-9a-f]{12}$/,
]

/** The address of a network card; gives it in lower case with colons. */
export const macText = z.string().transform((text, context) => {
  const lower = text.toLowerCase()
  const digits = lower.replace(/[^0-9a-f]/g, '')
  const wrong = spellings.some(one => one.test(lower))
    ? whyNoCard(digits)
    : 'must be a MAC, such as 52:54:00:12:34:56, 52-54-00-12-34-56, 5254.0012.3456 or 525400123456'
  if (!wrong) return digits.replace(/(..)(?=.)/g, '$1:')
  context.addIssue({ code: 'custom', message: wrong })
  return z.NEVER
})

/** The lowest bit of the first byte marks groups (IEEE 802): no card has such an address. */
function whyNoCard(digits: string): string | undefined {
  if (/^0+$/.test(digits)) return 'is all zeros: that is no MAC of a card'
  return Number.parseInt(digits.slice(0, 2), 16) & 1 ? 'is a group address (multicast): no card has it' : undefined
}
