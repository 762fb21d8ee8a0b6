import { ContractorError } from '@contractor/contract'
import type { Context } from 'hono'

/**
 * The version of an object as its ETag (RFC 9110, section 8.8.3): strong, since what is shown of one version is the same
 * each time but for what is derived from others (whether a Complex is built), which nobody writes.
 */
export const etagOf = (version: number): string => `"${version}"`

/** Whether who asks has this version already (`If-None-Match`). */
export const hasVersion = (c: Context, version: number): boolean =>
  (c.req.header('If-None-Match') ?? '').split(',').some(tag => tag.trim().replace(/^W\//, '') === etagOf(version))

/**
 * The version that an object must still have (`If-Match`). `*` asks for nothing more than that it is there, which is asked
 * anyway. What is no version of ours matches none: 0 is nobody's.
 */
export function wantedVersion(c: Context, isTaken: boolean): number | undefined {
  const header = c.req.header('If-Match')?.trim()
  if (header === undefined || header === '*') return undefined
  if (!isTaken) throw refused('is not taken here: this changes no object, or one in whichever version it is')
  if (header.includes(',')) throw refused('must have one ETag: that of the version that was read')
  const [, digits] = /^"(\d{1,9})"$/.exec(header) ?? []
  return Number(digits ?? 0)
}

const refused = (why: string) =>
  new ContractorError('VALIDATION_FAILED', `The header If-Match ${why}`, {
    issues: [{ path: 'If-Match', message: why }],
  })
