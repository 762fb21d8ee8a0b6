import {
  ContractorError,
  type EventType,
  type InterfaceChanges,
  type InterfaceView,
  interfaceChangesByKind,
  interfaceInput,
  interfaceQuery,
  type Page,
  parseInput,
} from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { networkInterface } from '../database/network-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { keyOf, toPage } from '../noun/list-rows.ts'
import { refuseUnknown } from '../noun/references.ts'
import { checkVersion } from '../noun/refuse.ts'
import { addInterfaces, takeProvisioning } from './add-interfaces.ts'
import { interfaceTitle, requireInterface, selectInterfaces } from './interface.ts'
import { lockOwners, refuseTakenMacs, refuseTakenNames } from './interface-laws.ts'
import { setMembers } from './interface-members.ts'
import { refuseUnknownPorts } from './physical-names.ts'

export interface Interfaces {
  /** A `provisioning` one takes that from its Foundation's others. */
  create(input: z.input<typeof interfaceInput>, options?: CallOptions): Promise<InterfaceView>
  /** Many at once, all or none, with a number of statements that does not grow with them; gives their ids. */
  createMany(inputs: readonly z.input<typeof interfaceInput>[], options?: CallOptions): Promise<number[]>
  get(id: number, options?: CallOptions): Promise<InterfaceView>
  list(query?: z.input<typeof interfaceQuery>, options?: CallOptions): Promise<Page<InterfaceView>>
  /**
   * A new name is followed by the addresses that it has. Setting `provisioning` takes that from the Foundation's
   * others. `members` replaces all members of an aggregated one.
   */
  update(id: number, changes: InterfaceChanges, options?: CallOptions): Promise<InterfaceView>
  /** Refused with IN_USE while an address is on it or an aggregated one is made of it. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createInterfaces(engine: Engine): Interfaces {
  const record = async (tx: Db, options: CallOptions, type: EventType, one: InterfaceView) => {
    const { id, version, foundation, structure, name } = one
    await recordEvents(engine, tx, [
      {
        ...{ type, by: whoIs(options), subject: String(id), version, foundation, structure },
        data: { interface: name },
      },
    ])
  }
  const interfaces: Interfaces = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(interfaceInput, input, 'The Interface')
      return transaction(engine, options, async tx => {
        const [id] = await addInterfaces(engine, tx, [parsed], options)
        return requireInterface(tx, id as number)
      })
    },
    async createMany(inputs, options = {}) {
      const parsed = parseInput(z.array(interfaceInput), inputs, 'The list of Interfaces')
      return transaction(engine, options, tx => addInterfaces(engine, tx, parsed, options))
    },
    get: (id, options = {}) => requireInterface(options.tx ?? engine.db, id),
    async list(query = {}, options = {}) {
      const parsed = parseInput(interfaceQuery, query, 'The query for Interfaces')
      const { after, limit, foundation, structure, network, mac } = parsed
      const conditions = [
        sql`true`,
        ...(after === undefined ? [] : [sql`port.id > ${keyOf(networkInterface.id, after)}`]),
        ...(foundation === undefined ? [] : [sql`port.foundation = ${foundation}`]),
        ...(structure === undefined ? [] : [sql`port.structure = ${structure}`]),
        ...(network === undefined ? [] : [sql`port.network = ${network}`]),
        ...(mac === undefined ? [] : [sql`port.mac = ${mac}::macaddr`]),
      ]
      const rows = await selectInterfaces(options.tx ?? engine.db, sql.join(conditions, sql` and `), limit + 1)
      return toPage(
        rows,
        limit,
        row => row.id,
        row => row,
      )
    },
    async update(id, changes, options = {}) {
      return transaction(engine, options, async tx => {
        await lockOwners(tx, [await requireInterface(tx, id)])
        const before = await requireInterface(tx, id)
        checkVersion('Interface', id, before.version, options.ifVersion)
        await changeInterface(engine, tx, before, changes)
        const after = await requireInterface(tx, id)
        await record(tx, options, 'interface.changed', after)
        return after
      })
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        await lockOwners(tx, [await requireInterface(tx, id)])
        // Whoever gives it an address at this moment holds its row.
        takingLock(tx, 'interface')
        await tx.execute(sql`select from contractor.network_interface where id = ${id} for update`)
        const one = await requireInterface(tx, id)
        checkVersion('Interface', id, one.version, options.ifVersion)
        const by = await usersOfInterface(tx, one)
        if (by.length) {
          const message = `${interfaceTitle(one)} cannot be deleted: ${by.join(', ')} need${by.length === 1 ? 's' : ''} it`
          throw new ContractorError('IN_USE', message, { kind: 'Interface', id, by })
        }
        await tx.execute(sql`delete from contractor.network_interface where id = ${id}`)
        await record(tx, options, 'interface.deleted', one)
      })
    },
  })
  return interfaces
}

async function changeInterface(engine: Engine, tx: Db, before: InterfaceView, changes: InterfaceChanges) {
  const parsed: ChangedColumns = parseInput(
    interfaceChangesByKind[before.kind],
    changes,
    `The change of ${interfaceTitle(before)}`,
  )
  const { members, name, mac } = parsed
  if (name !== undefined && name !== before.name) {
    await refuseTakenNames(tx, [{ ...before, name }])
    await renameOnAddresses(tx, before, name)
  }
  await refuseUnknown(tx, { Network: [parsed.network], PXE: [parsed.pxe] })
  const { physicalLocation } = parsed
  if (typeof physicalLocation === 'string' && before.foundation !== null)
    await refuseUnknownPorts(tx, [{ name: before.name, foundation: before.foundation, physicalLocation }])
  if (typeof mac === 'string') await refuseTakenMacs(tx, [mac], before.id)
  if (parsed.provisioning && before.foundation !== null) await takeProvisioning(engine, tx, [before.foundation])
  if (members && before.structure !== null) {
    await setMembers(tx, [{ id: before.id, name: name ?? before.name, structure: before.structure, members }])
  }
  await writeColumns(engine, tx, before.id, { ...before, ...given(parsed) })
}

type ChangedColumns = z.output<(typeof interfaceChangesByKind)['real']> &
  z.output<(typeof interfaceChangesByKind)['aggregated']>

/** Without what was not said, which would otherwise hide what is there. */
const given = (changes: ChangedColumns): Partial<InterfaceView> =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

async function writeColumns(engine: Engine, tx: Db, id: number, to: InterfaceView): Promise<void> {
  await tx.execute(
    sql`update contractor.network_interface set name = ${to.name}, network = ${to.network}, mac = ${to.mac}::macaddr,
          physical_location = ${to.physicalLocation}, neighbour = ${to.neighbour}, provisioning = ${to.provisioning},
          pxe = ${to.pxe}, parameters = ${JSON.stringify(to.parameters)}::jsonb, updated_at = ${engine.clock.now()}
        where id = ${id}`,
  )
}

/** An address knows its interface by name. */
async function renameOnAddresses(tx: Db, before: InterfaceView, name: string): Promise<void> {
  await tx.execute(
    sql`update contractor.address set interface = ${name} where interface = ${before.name} and structure = ${ownerOf(before)}`,
  )
}

const ownerOf = ({ foundation, structure }: InterfaceView) =>
  structure === null ? sql`(select id from contractor.structure where foundation = ${foundation})` : sql`${structure}`

async function usersOfInterface(tx: Db, one: InterfaceView): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`select 'Interface ' || holder.name as who from contractor.interface_member part
          join contractor.network_interface holder on holder.id = part.aggregate where part.member = ${one.id}
        union all
        (select 'Address ' || host(ip) from contractor.address
          where interface = ${one.name} and structure = ${ownerOf(one)} order by ip limit 20)`,
  )
  return rows.map(row => row.who)
}
