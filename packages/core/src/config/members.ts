import { ContractorError, configName, type Json } from '@contractor/contract'
import { z } from 'zod'
import type { Values } from '../database/columns.ts'
import { isTemplate } from '../jinja/templates.ts'
import type { ConfigRows, Membership, StructureRow } from './config-rows.ts'
import type { Merged } from './merge-values.ts'

/**
 * Members: the built Structures of a BluePrint that another Structure has to know, as a load balancer its web servers. A
 * Structure has them as the attribute `_members` where its config says `members_of`; with `member_values`, each comes with
 * these values of its own config.
 *
 * Which Structures have some is seen in what was loaded, and nothing is read where none has. Members of members are not
 * looked for: two that are each other's would have no end.
 */
export type Members = ReadonlyMap<number, () => Json>

interface Wanted extends Membership {
  /** Names of config values. */
  readonly values: readonly string[]
}

/** The members that were found, and what each of them is. */
export interface FoundMembers {
  rows: ConfigRows
  configs: ReadonlyMap<number, { get(key: string): Json | undefined }>
  attributesOf(own: StructureRow): Values
}

/** For each Structure that has some, what gives them; that throws CONFIG_INVALID where what is said of them is wrong. */
export async function findMembers(
  rows: ConfigRows,
  mergedOf: (own: StructureRow) => Merged,
  load: (wanted: readonly Membership[]) => Promise<FoundMembers>,
): Promise<Members> {
  const sources = [...rows.blueprints.values(), ...rows.sites.values(), ...rows.structures]
  if (!sources.some(({ values }) => Object.keys(values).some(isMembersOf))) return new Map()
  const found = new Map<number, () => Json>()
  const wanted = new Map<number, Wanted>()
  for (const own of rows.structures) {
    try {
      const one = wantedOf(own, mergedOf(own))
      if (one) wanted.set(own.id, one)
    } catch (error) {
      found.set(own.id, () => {
        throw error
      })
    }
  }
  if (!wanted.size) return found
  const places = new Map(
    [...wanted.values()].map(({ site, blueprint }) => [`${site}/${blueprint}`, { site, blueprint }]),
  )
  const members = await load([...places.values()])
  for (const [id, one] of wanted) found.set(id, () => membersOf(one, members))
  return found
}

const isMembersOf = (written: string) => /^[<>~-]?members_of(:|$)/.test(written)

function wantedOf({ hostname, site }: StructureRow, merged: Merged): Wanted | undefined {
  const blueprint = merged.get('members_of')
  if (blueprint === undefined) return undefined
  const refuse = (key: string, what: string) =>
    new ContractorError('CONFIG_INVALID', `Config of Structure ${hostname}: '${key}' must be ${what}`, {
      ...{ target: `Structure ${hostname}`, key },
    })
  if (typeof blueprint !== 'string' || isTemplate(blueprint))
    throw refuse('members_of', 'the name of a StructureBluePrint, and no template')
  const values = z.array(valueName).safeParse(merged.get('member_values') ?? [])
  if (!values.success) throw refuse('member_values', 'a list of names of config values, and no template')
  return { site, blueprint, values: values.data }
}

/** Attributes are none: what proves to the engine that a machine is what it says is among them. */
const valueName = configName.regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/)

function membersOf({ site, blueprint, values }: Wanted, { rows, configs, attributesOf }: FoundMembers): Json {
  const ids = new Set(
    rows.members.filter(one => one.site === site && one.blueprint === blueprint).map(one => one.structure),
  )
  return rows.structures
    .filter(({ id }) => ids.has(id))
    .sort((one, other) => compareTexts(one.hostname, other.hostname) || one.id - other.id)
    .map(own => {
      const { _fqdn: fqdn = null, _primary_address: address } = attributesOf(own)
      const config = configs.get(own.id)
      return {
        ...{
          id: own.id,
          hostname: own.hostname,
          fqdn,
          address: (address as { address: string } | null)?.address ?? null,
        },
        config: Object.fromEntries(values.map(name => [name, config?.get(name) ?? null])),
      }
    })
}

/** By their characters, the same whatever the machine's language is. */
const compareTexts = (one: string, other: string) => Number(one > other) - Number(one < other)
