import type { Json } from '../json.ts'
import type { BuiltinName } from '../language/builtins.ts'
import { BUILTINS, type Builtin } from '../language/builtins.ts'
import type { CallSite } from '../program/program.ts'
import { Fault } from '../value/fault.ts'
import { acceptJson } from '../value/json-boundary.ts'
import { setKey } from '../value/keys.ts'
import { weigh } from '../value/size.ts'
import { mendText } from '../value/storable.ts'
import { runBuiltin } from './builtin.ts'
import type { CallReply } from './host.ts'
import { type Machine, stopWith, takeFault, wait } from './machine.ts'

export function callBuiltin(machine: Machine, number: number): void {
  const site = machine.decoded.program.calls[number] as CallSite
  const given = machine.stack.splice(machine.stack.length - site.parameters.length, site.parameters.length)
  const builtin: Builtin = BUILTINS[site.function as BuiltinName]
  const places = machine.decoded.arguments[number] as readonly number[]
  const values = places.map((place, at) =>
    place < 0 ? (builtin.parameters[at]?.default ?? null) : (given[place] as Json),
  )
  const value = runBuiltin(machine, site.function as BuiltinName, values)
  // An aborted program stays where it was; every other stop goes on behind the call.
  if (machine.stop?.kind === 'aborted') return
  machine.stack.push(value)
  machine.pc++
}

export function callHost(machine: Machine, number: number): void {
  const site = machine.decoded.program.calls[number] as CallSite
  const given = machine.stack.splice(machine.stack.length - site.parameters.length, site.parameters.length)
  const values: { [name: string]: Json } = {}
  site.parameters.forEach((name, at) => {
    setKey(values, name, given[at] as Json)
    weigh(given[at] as Json, machine)
  })
  machine.pending = { module: site.module as string, function: site.function, arguments: values, state: null }
  continueCall(machine)
}

/** Asks the host for the answer of the pending call. */
export function continueCall(machine: Machine): void {
  const { pending } = machine
  if (!pending) return
  takeReply(machine, machine.host.call(pending), `${pending.module}.${pending.function}`)
}

function takeReply(machine: Machine, reply: CallReply, called: string): void {
  switch (reply.kind) {
    case 'value':
      machine.pending = undefined
      machine.stack.push(acceptJson(reply.value, `What \`${called}\` gave`, machine))
      machine.pc++
      return
    case 'pending':
      keepPending(machine, reply.state)
      wait(machine, reply.wakeAt, reply.message === undefined ? undefined : mendText(reply.message))
      return
    case 'paused':
    case 'error':
      keepPending(machine, reply.state)
      stopWith(machine, reply.kind, mendText(reply.message))
      return
    case 'aborted':
      machine.pending = undefined
      stopWith(machine, 'aborted', mendText(reply.message))
  }
}

function keepPending(machine: Machine, state: Json): void {
  if (machine.pending) machine.pending = { ...machine.pending, state }
}

/** As `continueCall`, where no instruction runs that would take a fault. */
export function resumeCall(machine: Machine): void {
  try {
    continueCall(machine)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    takeFault(machine, error)
  }
}
