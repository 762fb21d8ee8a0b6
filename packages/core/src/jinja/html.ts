import type { Limits } from './limits.ts'
import { str } from './print.ts'
import { refuseSecret } from './secrets.ts'
import { Markup, type Value } from './values.ts'

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

/** What is Markup stays as it is. */
export const escapeHtml = (limits: Limits, value: Value): string =>
  value instanceof Markup ? value.text : escapeText(limits, str(limits, value))

export function escapeText(limits: Limits, text: string): string {
  refuseSecret(text, '|escape')
  limits.text(text.length * 2)
  return text.replace(/[&<>"']/g, character => escapes[character] ?? character)
}

/** Without comments and tags, and with each run of spaces as one. */
export function stripTags(limits: Limits, text: string): string {
  limits.text(text.length)
  const rest = removeBetween(removeBetween(text, '<!--', '-->'), '<', '>')
  return unescapeHtml(rest.split(/\s+/).filter(Boolean).join(' '))
}

function removeBetween(text: string, open: string, close: string): string {
  const kept: string[] = []
  let at = 0
  for (;;) {
    const begin = text.indexOf(open, at)
    const end = begin < 0 ? -1 : text.indexOf(close, begin)
    if (end < 0) return kept.join('') + text.slice(at)
    kept.push(text.slice(at, begin))
    at = end + close.length
  }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }

/** The entities of XML, and those that are numbers. */
const unescapeHtml = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return Object.hasOwn(entities, name) ? (entities[name] ?? whole) : whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code)
  })
