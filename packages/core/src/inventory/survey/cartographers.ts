import {
  type CartographerView,
  ContractorError,
  cartographerQuery,
  type EventType,
  type Hardware,
  type hardware,
  isContractorError,
  machineIdentifier,
  machineSource,
  type Omission,
  type Page,
  parseInput,
} from '@contractor/contract'
import { and, asc, eq, gt } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { z } from 'zod'
import { type Db, violatedConstraint } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { cartographer } from '../../database/survey-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { lockRow } from '../../noun/change-row.ts'
import { toPage } from '../../noun/list-rows.ts'
import { checkVersion } from '../../noun/refuse.ts'
import { keptFoundations } from '../foundation/foundation.ts'
import { checkIdMap } from '../foundation/id-map.ts'
import { readReport } from '../hardware/read-report.ts'
import {
  type CartographerRow,
  missingCartographer,
  requireCartographer,
  selectStanding,
  toCartographerView,
} from './cartographer.ts'
import { findCalled, findReporter } from './find-record.ts'
import { marksOf } from './marks.ts'
import { lockCartographer, matchMachine, tellSettled } from './match-machine.ts'
import { settleMatch } from './settle-match.ts'

/** From where a machine reports: what the server sees, not what the machine says. */
export interface MachineOptions extends CallOptions {
  address?: string | undefined
}

/** The survey of machines that have booted the bootstrap image: who has reported, and which Foundation each is. */
export interface Cartographers {
  /** Says that a machine is there, without a report. Throws LIMIT_REACHED when too many are nobody's already. */
  register(identifier: string, options?: MachineOptions): Promise<CartographerView>
  /**
   * Takes what a machine reports of its hardware, and matches it: by config UUID, LLDP neighbour, MAC, serial number or
   * BMC, and address. A machine that is matched stays so, whatever it reports later. What cannot be used of the report is
   * left out, and named in `omitted`. Another machine that calls itself the same has a record of its own, under another
   * identifier.
   */
  report(called: string, report: z.input<typeof hardware>, options?: MachineOptions): Promise<CartographerView>
  /** How a machine stands that says only what it calls itself. Throws WRONG_STATE where several may be meant. */
  getCalled(called: string, options?: MachineOptions): Promise<CartographerView>
  /** Looks again at what it has reported: after a template, a serial number or a MAC was put right. */
  retry(identifier: string, options?: CallOptions): Promise<CartographerView>
  get(identifier: string, options?: CallOptions): Promise<CartographerView>
  list(query?: z.input<typeof cartographerQuery>, options?: CallOptions): Promise<Page<CartographerView>>
  /**
   * Says which Foundation it is. Refused with IN_USE while another machine is matched with that, and with
   * HARDWARE_MISMATCH when its hardware is not what the BluePrint of a planned one wants.
   */
  assign(identifier: string, locator: string, options?: CallOptions): Promise<CartographerView>
  /** Forgets the match. The Foundation stays what it is: destroy it, if it was the wrong one. */
  release(identifier: string, options?: CallOptions): Promise<CartographerView>
  /** Forgets the machine; it comes again when it reports again. */
  delete(identifier: string, options?: CallOptions): Promise<void>
}

export function createCartographers(engine: Engine): Cartographers {
  const machineOf = (identifier: string, options: MachineOptions) => {
    const { address } = parseInput(machineSource, { address: options.address }, 'The source of the report')
    return {
      called: parseInput(machineIdentifier, identifier, `The identifier of a machine`),
      address: address ?? null,
      by: options.by ?? `machine ${identifier}`,
    }
  }
  return surface(engine, {
    async register(name, options = {}) {
      const { called, address, by } = machineOf(name, options)
      return transaction(engine, options, async tx => {
        const identifier = (await findCalled(tx, called, address)) ?? called
        const { row, isNew } = await lockCartographer(engine, tx, { identifier, called, address })
        const changes = { address: address ?? row.address, updatedAt: engine.clock.now() }
        const message = isNew ? 'It has not reported its hardware yet' : row.message
        await writeRow(tx, identifier, { ...changes, message })
        if (isNew) await record(engine, tx, 'cartographer.registered', by, row)
        return requireCartographer(tx, identifier)
      })
    },
    async report(name, input, options = {}) {
      const { called, address, by } = machineOf(name, options)
      const { report: hardware, omitted } = readReport(input, `The report of machine '${called}'`)
      const run = () =>
        transaction(engine, options, async tx => {
          const identifier = await findReporter(tx, called, marksOf(hardware))
          await matchMachine(engine, tx, { identifier, called, address, hardware, omitted }, by)
          return requireCartographer(tx, identifier)
        })
      // Somebody else has given a MAC at this moment that was to be learnt, or another machine has taken the name: it is
      // seen the second time.
      return run().catch(error => {
        if (options.tx) throw error
        if (violatedConstraint(error) !== 'network_interface_mac' && !isContractorError(error, 'CONFLICT')) throw error
        return run()
      })
    },
    async retry(identifier, options = {}) {
      return transaction(engine, options, async tx => {
        // Not locked yet: its Foundation's lock comes first.
        const [present] = await tx.select().from(cartographer).where(eq(cartographer.identifier, identifier))
        if (!present) throw missingCartographer(identifier)
        checkVersion('Cartographer', identifier, present.version, options.ifVersion)
        const report = reportOf(present)
        if (!report) throw wrongState(present, 'looked at again: it has not reported its hardware yet')
        const { address, omitted } = present
        const machine = { identifier, called: present.called ?? identifier, address, hardware: report }
        await matchMachine(engine, tx, { ...machine, omitted: omitted as unknown as Omission[] }, whoIs(options))
        return requireCartographer(tx, identifier)
      })
    },
    async getCalled(name, options = {}) {
      const { called, address } = machineOf(name, options)
      const db = options.tx ?? engine.db
      return requireCartographer(db, (await findCalled(db, called, address)) ?? called)
    },
    get: (identifier, options = {}) => requireCartographer(options.tx ?? engine.db, identifier),
    async list(query = {}, options = {}) {
      const { after, limit, state } = parseInput(cartographerQuery, query, 'The query for Cartographers')
      const rows = await selectStanding(options.tx ?? engine.db)
        .where(
          and(
            after === undefined ? undefined : gt(cartographer.identifier, after),
            state && eq(cartographer.state, state),
          ),
        )
        .orderBy(asc(cartographer.identifier))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.cartographer.identifier, toCartographerView)
    },
    async assign(identifier, locator, options = {}) {
      return transaction(engine, options, async tx => {
        await assign(engine, tx, identifier, locator, options)
        return requireCartographer(tx, identifier)
      })
    },
    async release(identifier, options = {}) {
      return transaction(engine, options, async tx => {
        const row = await requireRow(tx, identifier, options)
        if (row.foundation === null) throw wrongState(row, 'released: it is not matched')
        const message = `Released from Foundation '${row.foundation}' by ${whoIs(options)}`
        const changes = { state: 'unmatched' as const, foundation: null, matchedAt: null, message }
        await writeRow(tx, identifier, { ...changes, updatedAt: engine.clock.now() })
        await record(engine, tx, 'cartographer.released', whoIs(options), row)
        return requireCartographer(tx, identifier)
      })
    },
    async delete(identifier, options = {}) {
      await transaction(engine, options, async tx => {
        const row = await requireRow(tx, identifier, options)
        await tx.delete(cartographer).where(eq(cartographer.identifier, identifier))
        await record(engine, tx, 'cartographer.deleted', whoIs(options), row)
      })
    },
  })
}

async function assign(
  engine: Engine,
  tx: Db,
  identifier: string,
  locator: string,
  options: CallOptions,
): Promise<void> {
  const by = whoIs(options)
  const target = await lockRow(tx, keptFoundations, locator)
  const row = await requireRow(tx, identifier, options)
  if (row.foundation !== null && row.foundation !== locator)
    throw wrongState(
      row,
      `assigned to '${locator}': it is matched with Foundation '${row.foundation}'; release it first`,
    )
  const [other] = await tx
    .select({ identifier: cartographer.identifier })
    .from(cartographer)
    .where(eq(cartographer.foundation, locator))
  if (other && other.identifier !== identifier) {
    const message = `Machine '${identifier}' cannot be assigned to Foundation '${locator}': machine '${other.identifier}' is matched with it; release that first`
    throw new ContractorError('IN_USE', message, {
      kind: 'Foundation',
      id: locator,
      by: [`Cartographer ${other.identifier}`],
    })
  }
  const report = reportOf(row)
  if (target.state === 'planned') await checkIdMap(tx, target, 'located', report)
  const settled = report && (await settleMatch(engine, tx, target, report, by))
  // Without a report there is nothing to keep, and nothing that a template could want.
  if (!report && target.state === 'planned')
    await applyStateChanges(engine, tx, [{ to: 'located', foundation: locator }], by)
  const now = engine.clock.now()
  const told = [`It is Foundation '${locator}': assigned by ${by}`, ...(settled ? tellSettled(locator, settled) : [])]
  const changes = { state: 'matched' as const, foundation: locator, matchedAt: now, message: told.join('. ') }
  await writeRow(tx, identifier, { ...changes, updatedAt: now })
  await record(engine, tx, 'cartographer.matched', by, { ...row, foundation: locator })
}

async function requireRow(tx: Db, identifier: string, { ifVersion }: CallOptions): Promise<CartographerRow> {
  takingLock(tx, 'cartographer')
  const [row] = await tx.select().from(cartographer).where(eq(cartographer.identifier, identifier)).for('update')
  if (!row) throw missingCartographer(identifier)
  checkVersion('Cartographer', identifier, row.version, ifVersion)
  return row
}

const reportOf = (row: CartographerRow) => (row.hardware === null ? undefined : (row.hardware as Hardware))

const writeRow = (tx: Db, identifier: string, changes: PgUpdateSetSource<typeof cartographer>) =>
  tx.update(cartographer).set(changes).where(eq(cartographer.identifier, identifier))

async function record(engine: Engine, tx: Db, type: EventType, by: string, row: CartographerRow): Promise<void> {
  const { identifier, foundation } = row
  await recordEvents(engine, tx, [{ type, by, foundation, data: { cartographer: identifier } }])
}

const wrongState = (row: CartographerRow, why: string) =>
  new ContractorError('WRONG_STATE', `Machine '${row.identifier}' cannot be ${why}`, {
    ...{ kind: 'Cartographer', id: row.identifier, state: row.state },
  })
