/**
 * Serials are 32 bits, and go round: one is newer than another when less than half of the circle lies between them (RFC
 * 1982). They look like dates, 2026010100 and so on, as operators know them, and leave that when a day has more changes.
 */
const circle = 2 ** 32

export function isNewerSerial(one: number, other: number): boolean {
  const distance = (one - other + circle) % circle
  return distance > 0 && distance < circle / 2
}

/** The serial after one, or the first, on a day as 20260101. Zero is left out: to some programs it means none. */
export function nextSerial(before: number | undefined, day: number): number {
  const today = day * 100
  if (before === undefined || isNewerSerial(today, before)) return today
  return (before + 1) % circle || 1
}
