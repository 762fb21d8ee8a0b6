export type Owned = WeakSet<object>
