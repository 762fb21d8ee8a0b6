import type { Hardware } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { anyOf } from '../../database/any-of.ts'
import { type Db, executeRows } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { neighbourSpellings } from './evidence.ts'
import { fold } from './marks.ts'

type Card = NonNullable<Hardware['networkInterfaces']>[number]

interface Port extends Record<string, unknown> {
  id: string | number
  name: string
  mac: string | null
  physical_location: string | null
  neighbour: string | null
}

export interface LearntMacs {
  /** The names of the interfaces that have a MAC now. */
  readonly learnt: string[]
  /** What was not taken over, and why. */
  readonly warnings: string[]
}

/**
 * Gives the MACs of a machine's cards to those interfaces of its Foundation that have none, found by the switch port that
 * they are plugged into, their physical location, or their name. What an interface has already, and what belongs to
 * somebody else, is not changed but told. Three statements, however many cards.
 */
export async function learnMacs(engine: Engine, tx: Db, locator: string, report: Hardware): Promise<LearntMacs> {
  const cards = (report.networkInterfaces ?? []).filter(card => card.mac !== undefined)
  if (!cards.length) return { learnt: [], warnings: [] }
  const ports = await executeRows<Port>(
    tx,
    sql`select id, name, mac::text, physical_location, neighbour from contractor.network_interface
        where foundation = ${locator} order by id`,
  )
  const owners = await ownersOf(tx, cards)
  const warnings: string[] = []
  const given = new Map<Port, string>()
  for (const card of cards) {
    const mac = card.mac as string
    const port = portOf(card, ports)
    if (!port || given.has(port) || ports.some(one => one.mac === mac)) continue
    const owner = owners.get(mac)
    if (owner !== undefined)
      warnings.push(`MAC ${mac} of its card ${card.name ?? port.name} is that of ${owner} already`)
    else if (port.mac !== null) warnings.push(`Interface '${port.name}' has the MAC ${port.mac}; its card has ${mac}`)
    else if (![...given.values()].includes(mac)) given.set(port, mac)
  }
  await writeMacs(engine, tx, given)
  return { learnt: [...given.keys()].map(port => port.name), warnings }
}

function portOf(card: Card, ports: readonly Port[]): Port | undefined {
  const neighbours = card.lldp ? neighbourSpellings(card.lldp).map(fold) : []
  return (
    ports.find(port => port.neighbour !== null && neighbours.includes(fold(port.neighbour))) ??
    ports.find(port => port.physical_location !== null && port.physical_location === card.physicalLocation) ??
    ports.find(port => port.name === card.name)
  )
}

async function ownersOf(tx: Db, cards: readonly Card[]): Promise<ReadonlyMap<string, string>> {
  const rows = await executeRows<{ mac: string; owner: string }>(
    tx,
    sql`select mac::text, 'Interface ''' || name || ''' of Foundation ''' || foundation || '''' as owner
        from contractor.network_interface
        where mac = ${anyOf(
          'macaddr',
          cards.flatMap(card => card.mac ?? []),
        )}`,
  )
  return new Map(rows.map(row => [row.mac, row.owner]))
}

async function writeMacs(engine: Engine, tx: Db, given: ReadonlyMap<Port, string>): Promise<void> {
  if (!given.size) return
  const rows = [...given].map(([{ id }, mac]) => ({ id, mac }))
  await tx.execute(
    sql`update contractor.network_interface set mac = new.mac::macaddr, updated_at = ${engine.clock.now()}
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new(id bigint, mac text)
        where network_interface.id = new.id`,
  )
}
