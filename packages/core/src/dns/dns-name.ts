/** The labels of a mail address as a name (RFC 1035, section 8). */
export function mailboxLabels(email: string): string[] {
  const at = email.lastIndexOf('@')
  return [
    email.slice(0, at),
    ...email
      .slice(at + 1)
      .toLowerCase()
      .split('.'),
  ]
}

/** The full name of what an entry of a Zone names. */
export function absolute(relative: string, zone: string): string {
  return relative === '@' ? zone : `${relative}.${zone}`
}

export function isWithin(full: string, zone: string): boolean {
  return full === zone || full.endsWith(`.${zone}`)
}

/** Its name within the Zone; only of one that is within it. */
export function relative(full: string, zone: string): string {
  return full === zone ? '@' : full.slice(0, -zone.length - 1)
}

/** All names above it that are within the Zone, the nearest first, without the Zone's own. */
export function namesAbove(relativeName: string): string[] {
  const parts = relativeName.split('.')
  return parts.slice(1).map((_, index) => parts.slice(index + 1).join('.'))
}
