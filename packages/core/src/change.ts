/** What saving something did. */
export type Change = 'created' | 'changed' | 'unchanged'

/** What saving something did, with what was there. */
export interface Saved<T> {
  change: Change
  before: T | undefined
  after: T
}
