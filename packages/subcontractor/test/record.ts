/** What has happened, in its order, for tests that wait for something to happen. */
export interface Record<T> {
  readonly all: readonly T[]
  add(item: T): void
  /** The first item that fits, from the past or the future. */
  first(fits: (item: T) => boolean): Promise<T>
  /** The first one from now on. */
  next(fits: (item: T) => boolean): Promise<T>
}

export function createRecord<T>(): Record<T> {
  const all: T[] = []
  const waiting = new Set<(item: T) => void>()
  const next = (fits: (item: T) => boolean) =>
    new Promise<T>(resolve => {
      const look = (item: T) => {
        if (!fits(item)) return
        waiting.delete(look)
        resolve(item)
      }
      waiting.add(look)
    })
  return {
    all,
    add(item) {
      all.push(item)
      for (const look of [...waiting]) look(item)
    },
    async first(fits) {
      const past = all.find(fits)
      return past === undefined ? next(fits) : past
    },
    next,
  }
}
