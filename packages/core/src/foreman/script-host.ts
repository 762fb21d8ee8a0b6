import type { CallReply, Host, PendingCall, Json as ScriptJson } from '@contractor/tscript'
import { z } from 'zod'
import type { Config } from '../config/load-config.ts'
import type { Engine } from '../engine/engine.ts'
import type { Target } from '../job/target.ts'
import type { FoundationContext, FunctionContext, Outcome } from '../plugin/define-function.ts'
import { asJson, type Json, json } from '../plugin/json.ts'
import { type Call, call as callSchema, findCalled } from './call.ts'

/**
 * What a script sees of its target: `foundation`, `structure` and `config` values, and the functions of plugins. It
 * reads nothing but what it was given, and writes nothing: changes are collected, and the Foreman saves them with the
 * rest of the transition.
 */
export interface ScriptHost extends Host {
  /** Fields of the Foundation that were set; undefined ones were cleared. */
  readonly changedFields: Record<string, Json | undefined>
  /** Calls that were done and that their functions could undo. */
  readonly undoable: { module: string; function: string; call: Call }[]
}

export interface ScriptHostOptions {
  engine: Engine
  target: Target
  config: Config | undefined
  nowMs: number
}

export function createScriptHost({ engine, target, config, nowMs }: ScriptHostOptions): ScriptHost {
  const { foundation: row, structure } = target
  const plugin = engine.plugins.foundations.get(row.type)
  const changedFields: Record<string, Json | undefined> = {}
  const undoable: ScriptHost['undoable'] = []
  const fields = (): Record<string, Json> => {
    const merged = { ...row.fields, ...changedFields }
    return Object.fromEntries(Object.entries(merged).filter((entry): entry is [string, Json] => entry[1] !== undefined))
  }
  const foundation = (): FoundationContext => ({
    locator: row.locator,
    type: row.type,
    site: row.site,
    state: row.state,
    fields: fields(),
  })
  const context = (callId: string): FunctionContext => ({
    now: nowMs,
    callId,
    foundation: foundation(),
    ...(structure && {
      structure: {
        id: structure.id,
        hostname: structure.hostname,
        site: structure.site,
        configUuid: structure.configUuid,
      },
    }),
  })
  /** Fields are checked as a whole, so that no script leaves a Foundation that its own type would refuse. */
  const setFields = (changes: Readonly<Record<string, unknown>>): string | undefined => {
    const checked = plugin?.fields.safeParse({ ...fields(), ...changes })
    if (checked && !checked.success) return z.prettifyError(checked.error)
    for (const [name, value] of Object.entries(changes))
      changedFields[name] = value === undefined ? undefined : json.parse(value)
    return undefined
  }

  const foundationValue = (name: string): Json | undefined => {
    const value = plugin && Object.hasOwn(plugin.values, name) ? plugin.values[name] : undefined
    if (value) return value.get(foundation())
    const common: Record<string, Json> = {
      id: row.locator,
      locator: row.locator,
      type: row.type,
      site: row.site,
      state: row.state,
      blueprint: row.blueprint,
      class_list: [...(plugin?.classes ?? [])],
    }
    if (Object.hasOwn(common, name)) return common[name]
    if (plugin && Object.hasOwn(plugin.fields.shape, name)) return fields()[name] ?? null
    return undefined
  }
  const structureValue = (name: string): Json | undefined => {
    if (!structure) return undefined
    const values: Record<string, Json> = {
      id: structure.id,
      hostname: structure.hostname,
      site: structure.site,
      blueprint: structure.blueprint,
      state: structure.state,
      config_uuid: structure.configUuid,
      foundation: structure.foundation,
    }
    return Object.hasOwn(values, name) ? values[name] : undefined
  }
  const configValue = (name: string): Json | undefined => config?.get(name)
  const readers: Record<string, (name: string) => Json | undefined> = {
    foundation: foundationValue,
    structure: structureValue,
    config: configValue,
  }

  return {
    changedFields,
    undoable,
    now: () => nowMs / 1000,
    get(module, name) {
      const read = Object.hasOwn(readers, module) ? readers[module] : undefined
      if (!read) return { error: `There is no value ${module}.${name}`, missing: true }
      try {
        const value = read(name)
        if (value !== undefined) return { value: value as ScriptJson }
        if (module === 'structure' && !structure)
          return { error: 'This job is for a Foundation: there is no structure', missing: true }
        return { error: `${module} has no value '${name}' here`, missing: true }
      } catch (error) {
        return { error: messageOf(error) }
      }
    },
    set(module, name, value) {
      const definition =
        module === 'foundation' && plugin && Object.hasOwn(plugin.values, name) ? plugin.values[name] : undefined
      if (!definition?.set) return { error: `${module}.${name} cannot be set` }
      try {
        const refused = setFields(definition.set(value as Json, foundation()))
        return refused === undefined
          ? { ok: true }
          : { error: `foundation.${name} cannot be ${JSON.stringify(value)}: ${refused}` }
      } catch (error) {
        return { error: messageOf(error) }
      }
    },
    call(pending) {
      const name = `${pending.module}.${pending.function}`
      const called = findCalled(engine.plugins, pending, row.type)
      if (!called) return { kind: 'error', state: pending.state, message: unknownFunction(engine, pending, row.type) }
      const { definition } = called
      let current: Call
      try {
        if (pending.state === null) {
          const args = definition.args.safeParse(plainArguments(pending.arguments))
          if (!args.success) return { kind: 'aborted', message: `${name}: ${z.prettifyError(args.error)}` }
          const id = engine.newId()
          current = {
            id,
            state: json.parse(definition.state.parse(definition.start(args.data, context(id)))),
            ask: 'request',
            failures: 0,
          }
        } else current = callSchema.parse(pending.state)
        const state: unknown = definition.state.parse(current.state)
        const outcome: Outcome = definition.outcome(state)
        if (outcome.kind === 'done' && definition.undo) {
          undoable.push({ module: pending.module, function: pending.function, call: current })
        }
        return settle(outcome, current, name, definition.message?.(state), definition.result, setFields)
      } catch (error) {
        return { kind: 'error', state: pending.state, message: `${name} failed: ${messageOf(error)}` }
      }
    },
  }
}

function settle(
  outcome: Outcome,
  current: Call,
  name: string,
  message: string | undefined,
  result: z.ZodType,
  setFields: (changes: Readonly<Record<string, unknown>>) => string | undefined,
): CallReply {
  const state = asJson(current)
  switch (outcome.kind) {
    case 'done': {
      const value = json.parse(result.parse(outcome.value)) as ScriptJson
      const refused = outcome.fields && setFields(outcome.fields)
      if (refused !== undefined)
        return { kind: 'error', state, message: `${name} would set fields that are not valid: ${refused}` }
      return { kind: 'value', value }
    }
    case 'pending': {
      const { wakeAt, ...rest } = current
      const waiting = { kind: 'pending' as const, message: message ?? `Waiting for ${name}` }
      if (outcome.wakeAt === undefined) return { ...waiting, state: asJson(rest) }
      const kept = { ...rest, wakeAt: outcome.wakeAt }
      return { ...waiting, state: asJson(kept), wakeAt: outcome.wakeAt / 1000 }
    }
    case 'paused':
    case 'error':
      return { kind: outcome.kind, state, message: outcome.message }
    case 'aborted':
      return outcome
  }
}

/** A script's arguments as functions take them: a time is its seconds. */
function plainArguments(given: PendingCall['arguments']): Record<string, Json> {
  const plain = (value: ScriptJson): Json => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    if (typeof value.$time === 'number' && Object.keys(value).length === 1) return value.$time
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, plain(value)]))
}

function unknownFunction(engine: Engine, { module, function: name }: PendingCall, type: string): string {
  if (module === 'foundation') return `A Foundation of type '${type}' has no function '${name}'`
  if (engine.plugins.modules.has(module)) return `The module '${module}' has no function '${name}'`
  return `No plugin that is loaded provides the module '${module}'. Start this process with it, then reset the Job.`
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
