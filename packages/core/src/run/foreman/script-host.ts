import { asJson, holdsSecret, type Json, json } from '@contractor/contract'
import type {
  FoundationContext,
  FunctionContext,
  Outcome,
  TaskLimit,
  TaskRequest,
  ValueContext,
} from '@contractor/plugin'
import { defaultTimeoutMs } from '@contractor/plugin'
import {
  type CallReply,
  type Host,
  type PendingCall,
  type Program,
  referencedNames,
  type Json as ScriptJson,
} from '@contractor/tscript'
import { z } from 'zod'
import type { Config } from '../../config/load-config.ts'
import { type Call, call as callSchema } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { PluginRegistry } from '../../engine/plugin-registry.ts'
import type { Target } from '../../graph/target.ts'
import { type CalledFunction, currentRequest, findCalled, isAwaited, isSameRequest, nextRequest } from '../call/call.ts'
import { dhcpModule } from '../module/dhcp-module.ts'
import type { OutTask } from '../task/out-task.ts'
import { collectEffects, type Effects, type EffectsOf } from './effects.ts'

/**
 * What a script sees of its target: `foundation`, `structure` and `config` values, and the functions of plugins. It
 * reads nothing but what it was given, and writes nothing: changes are collected, and the Foreman saves them with the
 * rest of the transition.
 */
export interface ScriptHost extends Host {
  readonly effects: Effects
  /** Calls that were done and that their functions could undo. */
  readonly undoable: { module: string; function: string; call: Call }[]
  /** What the call that is pending now asks of an agent, and who is asked already is not asked again. */
  readonly wanted: WantedRequest | undefined
}

export interface WantedRequest extends Required<TaskRequest> {
  /** What it must not share with other Tasks at the same time. */
  limit?: TaskLimit
  /** Its identity. */
  request: string
  attempt: number
  timeoutMs: number
}

/** Values of `structure` and `foundation` that are attributes of the config, or a part of one. */
type AttributePath = readonly [attribute: string, part?: string]
const foundationAttributes: Readonly<Record<string, AttributePath>> = {
  provisioning_interface: ['_provisioning_interface'],
  interface_list: ['_foundation_interface_list'],
}
const structureAttributes: Readonly<Record<string, AttributePath>> = {
  provisioning_interface: ['_provisioning_interface'],
  provisioning_ip: ['_provisioning_address', 'address'],
  primary_interface: ['_primary_interface'],
  primary_ip: ['_primary_address', 'address'],
  fqdn: ['_fqdn'],
  domain_name: ['_domain_name'],
  interface_map: ['_interface_map'],
  members: ['_members'],
}

/** What has to be read before a script can run. */
export interface ScriptNeeds {
  config: boolean
  /** The config of the Structure that stands on the Foundation, whatever the Job is for. */
  structureConfig: boolean
  /** The names of all PXEs: it may say what a machine boots. */
  pxes: boolean
}

/** A program never changes, nor do plugins: it is looked through once, and not for every step of every Job. */
const needs = new WeakMap<PluginRegistry, WeakMap<Program, Map<string, ScriptNeeds>>>()

export function needsOf(plugins: PluginRegistry, program: Program, type: string): ScriptNeeds {
  const ofPlugins = needs.get(plugins) ?? new WeakMap<Program, Map<string, ScriptNeeds>>()
  const ofTypes = ofPlugins.get(program) ?? new Map<string, ScriptNeeds>()
  const known = ofTypes.get(type)
  if (known) return known
  const found = findNeeds(plugins, program, type)
  needs.set(plugins, ofPlugins.set(program, ofTypes.set(type, found)))
  return found
}

function findNeeds(plugins: PluginRegistry, program: Program, type: string): ScriptNeeds {
  const names = referencedNames(program)
  const { structure = [], foundation = [], config, [dhcpModule.module]: dhcp } = names
  const attributes =
    structure.some(name => Object.hasOwn(structureAttributes, name)) ||
    foundation.some(name => Object.hasOwn(foundationAttributes, name))
  const values = plugins.foundations.get(type)?.values ?? {}
  const isAsked = Object.entries(names).some(([module, called]) =>
    called.some(name => plugins.findFunction(module, name, type)?.definition.readsConfig),
  )
  return {
    config: Boolean(config || dhcp) || attributes || isAsked,
    structureConfig: foundation.some(name => Object.hasOwn(values, name) && values[name]?.readsConfig),
    pxes: dhcp !== undefined,
  }
}

function readPath(value: Json | undefined, part: string | undefined): Json | undefined {
  if (part === undefined || value === undefined || value === null) return value
  return typeof value === 'object' && !Array.isArray(value) ? (value[part] ?? null) : null
}

export interface ScriptHostOptions {
  engine: Engine
  target: Target
  config: Config | undefined
  /** Of the Structure that stands on the Foundation, where the script reads what is made of it. */
  structureConfig: Config | undefined
  /** The names of all PXEs, where the script may set one. */
  pxes: ReadonlySet<string>
  nowMs: number
  /** The Task that is out already, if one is. */
  out: OutTask | undefined
}

export function createScriptHost(options: ScriptHostOptions): ScriptHost {
  const { engine, target, config: loaded, structureConfig, pxes, nowMs, out } = options
  const { foundation: row, complex, structure } = target
  const plugin = engine.plugins.foundations.get(row.type)
  const changes = collectEffects(engine, target, plugin, loaded, pxes)
  const undoable: ScriptHost['undoable'] = []
  let wanted: WantedRequest | undefined
  const foundation = (): FoundationContext => ({
    locator: row.locator,
    type: row.type,
    site: row.site,
    state: row.state,
    fields: changes.fields(),
    ...(complex?.type && {
      complex: { name: complex.name, type: complex.type, site: complex.site, fields: complex.fields },
    }),
  })
  const context = (callId: string, called: string): FunctionContext => ({
    now: nowMs,
    callId,
    foundation: foundation(),
    config(name) {
      const config = changes.config()
      if (!config) throw new Error(`${called} asks for the config without saying so: it has no readsConfig`)
      return config.get(name)
    },
    ...(structure && {
      structure: {
        id: structure.id,
        hostname: structure.hostname,
        site: structure.site,
        configUuid: structure.configUuid,
      },
    }),
  })
  const above: ValueContext = {
    config(name) {
      const own = structure ? (changes.config() ?? structureConfig) : structureConfig
      if (!own)
        throw new Error(`No Structure stands on Foundation '${row.locator}', whose config says what it is to be`)
      return own.get(name)
    },
  }
  const foundationValue = (name: string): Json | undefined => {
    const value = plugin && Object.hasOwn(plugin.values, name) ? plugin.values[name] : undefined
    if (value) return value.get(foundation(), above)
    const common: Record<string, Json> = {
      id: row.locator,
      locator: row.locator,
      type: row.type,
      site: row.site,
      state: row.state,
      blueprint: row.blueprint,
      class_list: [...(plugin?.classes ?? [])],
      complex: row.complex,
    }
    if (Object.hasOwn(common, name)) return common[name]
    if (plugin && Object.hasOwn(plugin.fields.shape, name)) return changes.fields()[name] ?? null
    return attribute(foundationAttributes, name)
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
    return Object.hasOwn(values, name) ? values[name] : attribute(structureAttributes, name)
  }
  const attribute = (attributes: Readonly<Record<string, AttributePath>>, name: string): Json | undefined => {
    const path = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    return path && readPath(changes.config()?.get(path[0]), path[1])
  }
  const configValue = (name: string): Json | undefined => changes.config()?.get(name)
  const readers: Record<string, (name: string) => Json | undefined> = {
    foundation: foundationValue,
    structure: structureValue,
    config: configValue,
  }

  /** The request that a pending call waits for, with an identity of its own unless an agent has just that already. */
  const ask = (called: CalledFunction, current: Call): Call => {
    const isEarly = current.notBefore !== undefined && current.notBefore > nowMs
    const request = isEarly ? undefined : currentRequest(called, current)
    if (!request) {
      const { awaits: _, ...quiet } = current
      return isEarly ? current : quiet
    }
    const asks = { module: request.module ?? called.plugin.module, function: request.function, params: request.params }
    if (out && !out.isRevoked && isAwaited(current, out.request) && isSameRequest(asks, out.asks)) return current
    const asking = nextRequest(current)
    const task = called.findTask(asks.module, asks.function)
    const timeoutMs = task?.timeoutOf(asks.params) ?? defaultTimeoutMs
    const limit = task?.limitOf(asks.params)
    if (limit && holdsSecret(limit.key))
      throw new Error(`the limit of ${asks.module}.${asks.function} has a key with a secret in it`)
    wanted = { ...asks, request: asking.awaits, attempt: current.failures + 1, timeoutMs, ...(limit && { limit }) }
    return asking
  }

  return {
    effects: changes.effects,
    undoable,
    get wanted() {
      return wanted
    },
    now: () => nowMs / 1000,
    joinSecret: parts => ({ $secret: parts.map(part => fromScript(part)).join('') }),
    get(module, name) {
      const read = Object.hasOwn(readers, module) ? readers[module] : undefined
      if (!read) return { error: `There is no value ${module}.${name}`, missing: true }
      try {
        const value = read(name)
        if (value !== undefined) return { value: toScript(value) }
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
        const refused = changes.setFields(definition.set(fromScript(value), foundation()))
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
      wanted = undefined
      let current: Call
      try {
        if (pending.state === null) {
          const args = definition.args.safeParse(plainArguments(pending.arguments))
          if (!args.success) return { kind: 'aborted', message: `${name}: ${z.prettifyError(args.error)}` }
          const id = engine.newId()
          current = {
            id,
            state: json.parse(definition.state.parse(definition.start(args.data, context(id, name)))),
            ask: 'request',
            failures: 0,
            asked: 0,
          }
        } else current = callSchema.parse(pending.state)
        const state: unknown = definition.state.parse(current.state)
        const outcome: Outcome = definition.outcome(state)
        if ((outcome.kind === 'done' || outcome.kind === 'undone') && current.takesBack !== undefined)
          return takenBack(name, current, current.takesBack)
        if (outcome.kind === 'done' && definition.undo) {
          undoable.push({ module: pending.module, function: pending.function, call: current })
        }
        if (outcome.kind === 'pending') current = ask(called, current)
        return settle(outcome, current, name, definition.message?.(state), definition.result, changes)
      } catch (error) {
        return { kind: 'error', state: pending.state, message: `${name} failed: ${messageOf(error)}` }
      }
    },
  }
}

/** Nothing is there of what the script asked for: it does not go on as if there were. */
function takenBack(name: string, current: Call, why: string): CallReply {
  const message = `${name} had failed (${why}), and was taken back: reset the Job to try it again, or undo the rest`
  return { kind: 'error', state: asJson({ ...current, failed: message }), message }
}

function settle(
  outcome: Outcome,
  current: Call,
  name: string,
  message: string | undefined,
  result: z.ZodType,
  changes: EffectsOf,
): CallReply {
  const state = asJson(current)
  switch (outcome.kind) {
    case 'done': {
      const value = toScript(json.parse(result.parse(outcome.value)))
      const message = applyEffects(name, outcome, changes)
      return message === undefined ? { kind: 'value', value } : { kind: 'error', state, message }
    }
    case 'undone': {
      const message = applyEffects(name, outcome, changes)
      return message === undefined ? { kind: 'value', value: null } : { kind: 'error', state, message }
    }
    case 'pending': {
      const { wakeAt, ...rest } = current
      const waiting = { kind: 'pending' as const, message: message ?? `Waiting for ${name}` }
      const wrong = outcome.wakeAt !== undefined && !isMoment(outcome.wakeAt)
      if (wrong) return { kind: 'error', state, message: `${name} waits for a moment that is none: ${outcome.wakeAt}` }
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

/** Why what a call changes cannot be. */
function applyEffects(
  name: string,
  end: Outcome & { kind: 'done' | 'undone' },
  changes: EffectsOf,
): string | undefined {
  const wrong = end.fields && changes.setFields(end.fields)
  if (wrong !== undefined) return `${name} would set fields that are not valid: ${wrong}`
  if (end.kind === 'undone') return undefined
  const refused =
    (end.config && changes.setConfig(end.config)) ??
    (end.pxe && changes.setPxe(end.pxe)) ??
    (end.macs && changes.setMacs(end.macs)) ??
    (end.addresses && changes.setAddresses(end.addresses))
  return refused === undefined ? undefined : `${name}: ${refused}`
}

/** What a timestamp of PostgreSQL holds, and JavaScript's Date: milliseconds since the epoch (ECMA-262, section 21.4.1.1). */
const isMoment = (ms: number): boolean => Number.isFinite(ms) && Math.abs(ms) <= 8.64e15

/** A script's arguments as functions take them. */
function plainArguments(given: PendingCall['arguments']): Record<string, Json> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, fromScript(value)]))
}

/** A script's value as the engine has it: a time is its seconds, a secret the text that refers to it. */
function fromScript(value: ScriptJson): Json {
  if (Array.isArray(value)) return value.map(fromScript)
  if (typeof value !== 'object' || value === null) return value
  if (typeof value.$time === 'number' && Object.keys(value).length === 1) return value.$time
  if (isSecret(value)) return value.$secret
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromScript(item)]))
}

const isSecret = (value: { [key: string]: ScriptJson }): value is { $secret: string } =>
  typeof value.$secret === 'string' && Object.keys(value).length === 1

/** The engine's value as scripts have it: a text that refers to a secret is one. */
function toScript(value: Json): ScriptJson {
  if (typeof value === 'string') return holdsSecret(value) ? { $secret: value } : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(toScript)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toScript(item)]))
}

function unknownFunction(engine: Engine, { module, function: name }: PendingCall, type: string): string {
  if (module === 'foundation') return `A Foundation of type '${type}' has no function '${name}'`
  if (engine.plugins.modules.has(module)) return `The module '${module}' has no function '${name}'`
  return `No plugin that is loaded provides the module '${module}'. Start this process with it, then reset the Job.`
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
