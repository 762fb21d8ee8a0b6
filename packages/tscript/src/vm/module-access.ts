import type { Json } from '../json.ts'
import { changePath, own } from '../value/container.ts'
import { Fault } from '../value/fault.ts'
import { acceptJson } from '../value/json-boundary.ts'
import { weigh } from '../value/size.ts'
import { mendText } from '../value/storable.ts'
import { append, popPlace } from './builtin.ts'
import type { Machine } from './machine.ts'

/** Values of modules. Each access asks the host; what it refuses is a fault of the script. */

export function getMember(machine: Machine, number: number): Json {
  const [module, name] = machine.decoded.program.members[number] as [string, string]
  const answer = machine.host.get(module, name)
  if ('error' in answer) throw new Fault(mendText(answer.error))
  return acceptJson(answer.value, `\`${module}.${name}\``, machine)
}

export function setMember(machine: Machine, number: number, value: Json): void {
  const [module, name] = machine.decoded.program.members[number] as [string, string]
  weigh(value, machine)
  const answer = machine.host.set(module, name, value)
  if ('error' in answer) throw new Fault(mendText(answer.error))
}

export function setMemberPath(machine: Machine, number: number, keys: readonly Json[], value: Json): void {
  setMember(
    machine,
    number,
    changePath(getMember(machine, number), keys, machine, () => value),
  )
}

export function appendMember(machine: Machine, number: number, keys: readonly Json[], value: Json): void {
  setMember(
    machine,
    number,
    changePath(getMember(machine, number), keys, machine, old => append(ownArray(machine, old), value)),
  )
}

export function popMember(machine: Machine, number: number, keys: readonly Json[], index: Json): Json {
  let popped: Json = null
  const left = changePath(getMember(machine, number), keys, machine, old => {
    const array = ownArray(machine, old)
    const place = popPlace(array, index)
    popped = (array as Json[]).splice(place, 1)[0] as Json
    return array
  })
  setMember(machine, number, left)
  return popped
}

function ownArray(machine: Machine, value: Json | undefined): Json {
  return Array.isArray(value) ? own(value, machine) : (value ?? null)
}
