type Given<T> = { [K in keyof T]?: T[K] | undefined }

/** What is present, with what was given laid over it: what is undefined was not given. */
export function overlay<T extends object>(present: T, given: Given<T>): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...present, ...(Object.fromEntries(entries) as Partial<T>) }
}
