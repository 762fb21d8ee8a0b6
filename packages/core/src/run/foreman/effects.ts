import { holdsSecret, type Json, json, macText, mapSecretPlaces, mapTexts } from '@contractor/contract'
import type { FoundationPlugin } from '@contractor/plugin'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Config } from '../../config/load-config.ts'
import { setPath } from '../../config/set-path.ts'
import type { Values } from '../../database/columns.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import type { Target } from '../../graph/target.ts'
import { writeLiteral } from '../../jinja/literal.ts'
import { moveAddress } from '../../network/move-address.ts'

/**
 * What a script, and the functions that it calls, change in their target. It is collected while the script runs, and is
 * seen by the script at once; the Foreman writes it with the rest of the transition.
 */
export interface Effects {
  /** Fields of the Foundation; undefined ones are cleared. */
  readonly fields: Readonly<Record<string, Json | undefined>>
  /** Config values of the Structure itself. */
  readonly config: Values
  /** What the Foundation's interfaces boot: PXEs by the interfaces' names. */
  readonly pxe: Readonly<Record<string, string>>
  /** The MACs of the Foundation's real interfaces, by the interfaces' names. */
  readonly macs: Readonly<Record<string, string>>
  /** Where the Addresses of the Structure on it move to: IP addresses by the interfaces' names. */
  readonly addresses: Readonly<Record<string, string>>
}

export interface EffectsOf {
  readonly effects: Effects
  /** The Foundation's fields and the config as they are now. */
  fields(): Record<string, Json>
  config(): Config | undefined
  /** Each says what is wrong, and changes nothing then. */
  setFields(changes: Readonly<Record<string, unknown>>): string | undefined
  /** Texts are kept so that they come out as they are: what a script stores is data, and no template. */
  setConfig(changes: Readonly<Record<string, Json>>): string | undefined
  setPxe(changes: Readonly<Record<string, string>>): string | undefined
  /** By name or by physical location. */
  setMacs(changes: Readonly<Record<string, string>>): string | undefined
  setAddresses(changes: Readonly<Record<string, string>>): string | undefined
}

export function collectEffects(
  engine: Engine,
  target: Target,
  plugin: FoundationPlugin | undefined,
  loaded: Config | undefined,
  pxes: ReadonlySet<string>,
): EffectsOf {
  const { foundation, structure } = target
  const changed: Record<string, Json | undefined> = {}
  const own: Values = {}
  const boots: Record<string, string> = {}
  const macs: Record<string, string> = {}
  const addresses: Record<string, string> = {}
  let config = loaded
  let values = structure?.configValues ?? {}
  const sealed = (name: string, value: Json): Json => {
    const seal = (text: string) =>
      holdsSecret(text) ? text : engine.seals.seal(text, `Field '${name}' of Foundation '${foundation.locator}'`)
    const schema = plugin && Object.hasOwn(plugin.fields.shape, name) ? plugin.fields.shape[name] : undefined
    return schema ? mapSecretPlaces(schema as z.ZodType, value, seal) : value
  }
  const fields = () => {
    const entries = Object.entries({ ...foundation.fields, ...changed })
    return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined))
  }
  return {
    effects: { fields: changed, config: own, pxe: boots, macs, addresses },
    fields,
    config: () => config,
    /** Fields are checked as a whole, so that no script leaves a Foundation that its own type would refuse. */
    setFields(changes) {
      const checked = plugin?.fields.safeParse({ ...fields(), ...changes })
      if (checked && !checked.success) return z.prettifyError(checked.error)
      for (const [name, value] of Object.entries(changes))
        changed[name] = value === undefined ? undefined : sealed(name, json.parse(value))
      return undefined
    },
    setConfig(changes) {
      if (!structure) return 'there is no Structure whose config could be changed: this Job is for a Foundation'
      try {
        for (const [path, value] of Object.entries(changes)) {
          values = setPath(values, path, mapTexts(value, writeLiteral))
          const [name = ''] = path.split('.')
          own[name] = values[name] as Json
        }
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
      config = config?.withOwn(values)
      return undefined
    },
    setPxe(changes) {
      const interfaces = Object.keys((config?.get('_interface_map') ?? {}) as object)
      for (const [name, pxe] of Object.entries(changes)) {
        if (!interfaces.includes(name)) {
          const known = interfaces.length ? `it has ${interfaces.join(', ')}` : 'it has none'
          return `Foundation '${foundation.locator}' has no interface '${name}': ${known}`
        }
        if (!pxes.has(pxe)) return `there is no PXE '${pxe}'`
        boots[name] = pxe
      }
      return undefined
    },
    setMacs(changes) {
      if (!config) return 'it sets MACs without saying so: it has no readsConfig'
      const real = z.array(realInterface).parse(config.get('_foundation_interface_list') ?? [])
      for (const [key, text] of Object.entries(changes)) {
        const found = real.find(one => one.physical_location === key) ?? real.find(one => one.name === key)
        if (!found) {
          const known = real.map(one => one.physical_location ?? one.name).join(', ')
          return `Foundation '${foundation.locator}' has no interface '${key}': it has ${known || 'none'}`
        }
        const mac = macText.safeParse(text)
        if (!mac.success) return `the MAC of '${key}' ${mac.error.issues[0]?.message}`
        macs[found.name] = mac.data
      }
      return undefined
    },
    setAddresses(changes) {
      for (const [name, ip] of Object.entries(changes)) {
        if (!ipAddress.safeParse(ip).success) return `'${ip}', of interface '${name}', is no IP address`
        addresses[name] = ip
      }
      return undefined
    },
  }
}

const ipAddress = z.union([z.ipv4(), z.ipv6()])
const realInterface = z.object({ name: z.string(), physical_location: z.string().nullable() })

/** The effects of one Job's transition. */
export interface TargetEffects extends Effects {
  readonly job: number
  readonly foundation: string
  readonly structure?: { id: number; configValues: Values }
}

export const hasEffects = ({ fields, config, pxe, macs, addresses }: Effects) =>
  [fields, config, pxe, macs, addresses].some(changes => Object.keys(changes).length > 0)

/** Writes what many Jobs changed: a statement for each kind of change that there is. */
export async function writeEffects(engine: Engine, tx: Db, all: readonly TargetEffects[]): Promise<void> {
  if (!all.length) return
  await writeFields(engine, tx, all)
  await writeConfig(engine, tx, all)
  await writeInterfaces(engine, tx, all)
}

/** Only the fields that the scripts changed, so that what somebody else changed meanwhile stays. */
async function writeFields(engine: Engine, tx: Db, all: readonly TargetEffects[]): Promise<void> {
  // Two Jobs may have changed one Foundation: an UPDATE takes one new version of each row.
  const merged = new Map<string, Record<string, Json | undefined>>()
  for (const { foundation, fields } of all)
    if (Object.keys(fields).length) merged.set(foundation, { ...merged.get(foundation), ...fields })
  if (!merged.size) return
  const rows = [...merged].map(([locator, fields]) => ({
    locator,
    values: fields,
    cleared: Object.keys(fields).filter(name => fields[name] === undefined),
  }))
  await executePrepared(
    tx,
    sql`update contractor.foundation
        set fields = (foundation.fields || new.values) - new.cleared, updated_at = ${engine.clock.now()}
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new(locator text, values jsonb, cleared text[])
        where foundation.locator = new.locator`,
  )
}

async function writeConfig(engine: Engine, tx: Db, all: readonly TargetEffects[]): Promise<void> {
  const merged = new Map<number, { values: Values; before: Values; job: number }>()
  for (const { structure, config, job } of all) {
    if (!structure || !Object.keys(config).length) continue
    const before = Object.fromEntries(
      Object.keys(config).flatMap(key =>
        Object.hasOwn(structure.configValues, key) ? [[key, structure.configValues[key] as Json]] : [],
      ),
    )
    merged.set(structure.id, { values: { ...merged.get(structure.id)?.values, ...config }, before, job })
  }
  if (!merged.size) return
  const rows = [...merged].map(([id, { values }]) => ({ id, values }))
  await executePrepared(
    tx,
    sql`update contractor.structure
        set config_values = structure.config_values || new.values, updated_at = ${engine.clock.now()}
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new(id bigint, values jsonb)
        where structure.id = new.id`,
  )
  for (const [structure, { values, before, job }] of merged)
    await recordConfigChanges(engine, tx, `Job ${job}`, [{ owner: { structure }, before, after: values }])
}

async function writeInterfaces(engine: Engine, tx: Db, all: readonly TargetEffects[]): Promise<void> {
  const merged = new Map<string, { foundation: string; name: string; pxe?: string; mac?: string }>()
  const merge = (foundation: string, name: string, change: { pxe: string } | { mac: string }) =>
    merged.set(`${foundation} ${name}`, { ...merged.get(`${foundation} ${name}`), foundation, name, ...change })
  for (const { foundation, pxe: boots, macs } of all) {
    for (const [name, pxe] of Object.entries(boots)) merge(foundation, name, { pxe })
    for (const [name, mac] of Object.entries(macs)) merge(foundation, name, { mac })
  }
  if (!merged.size) return
  await executePrepared(
    tx,
    sql`update contractor.network_interface set pxe = coalesce(new.pxe, network_interface.pxe),
          mac = coalesce(new.mac::macaddr, network_interface.mac), updated_at = ${engine.clock.now()}
        from jsonb_to_recordset(${JSON.stringify([...merged.values()])}::jsonb)
          as new(foundation text, name text, pxe text, mac text)
        where network_interface.foundation = new.foundation and network_interface.name = new.name`,
  )
}

/** One by one: they are few, and each is checked as an operator's change is. */
export async function moveAddresses(engine: Engine, tx: Db, all: readonly TargetEffects[]): Promise<void> {
  for (const { foundation, addresses, job } of all)
    for (const [name, ip] of Object.entries(addresses))
      await moveAddress(engine, tx, { foundation, interface: name, ip, by: `Job ${job}` })
}
