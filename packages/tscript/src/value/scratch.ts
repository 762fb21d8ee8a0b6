import type { Meter } from './meter.ts'
import type { Owned } from './owned.ts'
import { TextPlaces } from './text-places.ts'

/** What operations keep beside the values, for one run: it is in no saved state and shows in no result. */
export interface Scratch extends Meter {
  /** Containers that only one variable holds, made in this run. */
  owned: Owned
  places: TextPlaces
}

export function createScratch(): Scratch {
  return { touched: 0, owned: new WeakSet(), places: new TextPlaces() }
}
