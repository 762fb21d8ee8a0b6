/**
 * How much each module can take on. A slot is busy with a Task, or offered to the server in a claim that is on its way,
 * or free; so no slot is ever offered twice.
 */
export interface Slots {
  /** Modules with free slots that no long poll looks after. */
  uncovered(): string[]
  /** Marks modules as looked after. Returns what ends that. */
  cover(modules: readonly string[]): () => void
  /** Offers the free slots of these modules; nothing when there are none. */
  offer(modules?: readonly string[]): Offer | undefined
  /** Takes a slot. Returns what gives it back. */
  take(module: string): () => void
}

export interface Offer {
  readonly modules: Record<string, { slots: number }>
  takeBack(): void
}

export function createSlots(concurrency: ReadonlyMap<string, number>): Slots {
  const covered = new Set<string>()
  const used = new Map([...concurrency.keys()].map(name => [name, 0]))
  const free = (name: string) => Math.max(0, (concurrency.get(name) ?? 0) - (used.get(name) ?? 0))
  const use = (name: string, count: number) => used.set(name, (used.get(name) ?? 0) + count)

  return {
    uncovered: () => [...concurrency.keys()].filter(name => !covered.has(name) && free(name) > 0),
    cover(modules) {
      for (const name of modules) covered.add(name)
      return () => {
        for (const name of modules) covered.delete(name)
      }
    },
    offer(modules = [...concurrency.keys()]) {
      const counts = modules.map(name => [name, free(name)] as const).filter(([, slots]) => slots > 0)
      if (counts.length === 0) return undefined
      for (const [name, slots] of counts) use(name, slots)
      return {
        modules: Object.fromEntries(counts.map(([name, slots]) => [name, { slots }])),
        takeBack: once(() => {
          for (const [name, slots] of counts) use(name, -slots)
        }),
      }
    },
    take(module) {
      use(module, 1)
      return once(() => use(module, -1))
    },
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    run()
  }
}
