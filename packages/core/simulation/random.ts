/** Where every choice of a run comes from: the same seed gives the same choices, on every machine. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K
}

/** mulberry32: 32 bits of state, good enough to shuffle a schedule. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = state
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    int: (least, most) => least + Math.floor(random.next() * (most - least + 1)),
    chance: probability => random.next() < probability,
    pick<T>(from: readonly T[]): T {
      if (!from.length) throw new Error('There is nothing to pick from')
      return from[Math.floor(random.next() * from.length)] as T
    },
    weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
      const entries = Object.entries(weights) as [K, number][]
      let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [key, weight] of entries) {
        left -= weight
        if (left < 0) return key
      }
      return random.pick(entries)[0]
    },
  }
  return random
}
