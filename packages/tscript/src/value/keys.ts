/*
 * The keys of a program's maps in JSON: a key that begins with `$` gets one more, so that `{ $time: 5 }` is always a time.
 */

export function writeKey(key: string): string {
  return key.startsWith('$') ? `$${key}` : key
}

export function readKey(key: string): string {
  return key.startsWith('$') ? key.slice(1) : key
}

/** Sets an own key, also `__proto__`, which an assignment would not. */
export function setKey<T>(map: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  else map[key] = value
}
