import type { z } from 'zod'

/**
 * Lines end with LF alone. Files that were written on Windows have CR LF, and `#!/bin/sh\r` names a shell that no machine
 * has: so texts that come to be files, scripts and boot scripts lose their CRs where they enter, which is in the schemas of
 * these texts, for resource files, SDK and REST alike. A CR that a machine is to see is written in a template as `{{ "\r" }}`.
 */
const lineEnds = /\r\n?/g

export const withLf = (text: string): string => (text.includes('\r') ? text.replace(lineEnds, '\n') : text)

/** A text of several lines. */
export const lines = (text: z.ZodString) => text.overwrite(withLf)

/** A value with each text in it; the same value, not a copy, where there is nothing to change. */
export function withLfWithin<T>(value: T): T {
  return hasCr(value) ? (change(value) as T) : value
}

function change(value: unknown): unknown {
  if (typeof value === 'string') return withLf(value)
  if (Array.isArray(value)) return value.map(change)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]))
}

function hasCr(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\r')
  return typeof value === 'object' && value !== null && Object.values(value).some(hasCr)
}
