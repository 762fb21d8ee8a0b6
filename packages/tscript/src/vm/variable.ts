import type { Json } from '../json.ts'
import { suggestName } from '../language/nearest.ts'
import { changePath, disown, getPath, own } from '../value/container.ts'
import { Fault } from '../value/fault.ts'
import { checkSize } from '../value/size.ts'
import { append, lengthOf, popPlace } from './builtin.ts'
import type { Machine } from './machine.ts'

/** Variables and what is inside them. A value that is taken out whole is shared from then on, so it is no longer owned. */

export function missingVariable(machine: Machine, slot: number): Fault {
  const { variables } = machine.decoded.program
  const name = variables[slot] as string
  // Inside exists( … ) nobody sees the message, and looking for the nearest name takes long where there are many.
  if (machine.attempts.length > 0) return new Fault(`The variable \`${name}\` is not set`)
  const set = variables.filter((_, other) => machine.slots[other] !== undefined)
  const hint = suggestName(name, set)
  return new Fault(`The variable \`${name}\` is not set${hint ? `. ${hint}` : ''}`)
}

function read(machine: Machine, slot: number): Json {
  const value = machine.slots[slot]
  if (value === undefined) throw missingVariable(machine, slot)
  return value
}

export function loadPath(machine: Machine, slot: number, keys: readonly Json[]): Json {
  const value = getPath(read(machine, slot), keys, machine)
  disown(value, machine.owned)
  return value
}

export function storePath(machine: Machine, slot: number, keys: readonly Json[], value: Json): void {
  checkSize(value, machine, keys.length)
  machine.slots[slot] = changePath(read(machine, slot), keys, machine, () => value)
}

export function lengthPath(machine: Machine, slot: number, keys: readonly Json[]): number {
  return lengthOf(getPath(read(machine, slot), keys, machine), machine)
}

export function appendPath(machine: Machine, slot: number, keys: readonly Json[], value: Json): void {
  checkSize(value, machine, keys.length + 1)
  machine.slots[slot] = changePath(read(machine, slot), keys, machine, old => append(ownArray(machine, old), value))
}

export function popPath(machine: Machine, slot: number, keys: readonly Json[], index: Json): Json {
  let popped: Json = null
  machine.slots[slot] = changePath(read(machine, slot), keys, machine, old => {
    const place = popPlace(old ?? null, index)
    const array = ownArray(machine, old) as Json[]
    // What stands behind the element moves up.
    machine.touched += array.length - 1 - place
    popped = (place === array.length - 1 ? array.pop() : array.splice(place, 1)[0]) as Json
    return array
  })
  return popped
}

function ownArray(machine: Machine, value: Json | undefined): Json {
  return Array.isArray(value) ? own(value, machine) : (value ?? null)
}
