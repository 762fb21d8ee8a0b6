import { randomInt } from 'node:crypto'
import { isContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { executeRows } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { decodeMessage, encodeMessage, opcodes, types, type WireRecord } from './message.ts'
import { type NameServer, openNameServer } from './name-server.ts'
import type { PublishedZone } from './publish-zones.ts'
import { signMessage, TsigFailure } from './tsig.ts'
import type { TsigKey } from './tsig-key.ts'
import { differZone, packSteps } from './zone-difference.ts'

export interface UpdateOptions {
  /** Only these zones. */
  zones?: readonly string[] | undefined
  /** Names within each zone that are left as they are, with all below them. */
  keep?: readonly string[] | undefined
  /** Only says what would change. */
  check?: boolean | undefined
}

/** What was done for a zone, or would be; or why it could not be. */
export interface ZoneUpdate {
  readonly zone: string
  readonly added: number
  readonly removed: number
  /** Whether its timings or primary name server are other ones now. */
  readonly changedSoa: boolean
  readonly error?: string
}

/** Well below the 65,535 octets of a message: question and signature need room too. */
const mostBytes = 60_000

/** Makes the zones of a running name server as they are wanted, one after the other (RFC 2136). */
export async function updateServer(
  engine: Engine,
  zones: readonly PublishedZone[],
  server: string,
  key: TsigKey,
  { zones: only, keep = [], check = false }: UpdateOptions,
): Promise<ZoneUpdate[]> {
  const time = await startTime(engine)
  const done: ZoneUpdate[] = []
  for (const { name, content } of zones.filter(zone => !only || only.includes(zone.name))) {
    // A server may end a connection after an error: each zone has one of its own.
    const connection = await openNameServer(server, key, time)
    const ask = createAsker(connection, key, time, name)
    try {
      const { steps, ...counts } = differZone(content, await transferZone(ask), keep)
      if (!check) for (const updates of packSteps(steps, mostBytes)) await ask(opcodes.update, types.SOA, updates)
      done.push({ zone: name, ...counts })
    } catch (error) {
      if (isContractorError(error)) throw error
      done.push({
        zone: name,
        added: 0,
        removed: 0,
        changedSoa: false,
        error: error instanceof Error ? error.message : String(error),
      })
    } finally {
      connection.close()
    }
  }
  return done
}

/** Seconds since 1970, from the engine's clock as of now and on by the machine's own. */
async function startTime(engine: Engine): Promise<() => number> {
  const [row] = await executeRows<{ now: string }>(
    engine.db,
    sql`select extract(epoch from ${engine.clock.now()})::text as now`,
  )
  const startedMs = performance.now()
  return () => Math.floor(Number(row?.now) + (performance.now() - startedMs) / 1000)
}

type Ask = (opcode: number, type: number, updates?: readonly WireRecord[]) => Promise<WireRecord[]>

function createAsker(connection: NameServer, key: TsigKey, time: () => number, zone: string): Ask {
  return async (opcode, type, updates = []) => {
    const id = randomInt(65_536)
    const answers: WireRecord[] = []
    const what = opcode === opcodes.update ? 'update' : 'transfer'
    const refuse = (code: number) =>
      new Error(refusals(what, zone)[code] ?? `the name server says error ${code} to the ${what}`)
    try {
      await connection.ask(signMessage(encodeMessage(id, opcode, zone, type, updates), key, time()), bytes => {
        const message = decodeMessage(bytes)
        if (message.id !== id) throw new Error('the name server answers another question')
        if (message.code !== 0) throw refuse(message.code)
        answers.push(...message.answers)
        // A transfer ends with the SOA that it began with (RFC 5936, section 2.2).
        return opcode === opcodes.update || (answers.length > 1 && answers.at(-1)?.type === types.SOA)
      })
    } catch (error) {
      if (error instanceof TsigFailure) throw new Error(`${what} of ${zone} with key '${key.name}': ${error.message}`)
      if (error instanceof RangeError)
        throw new Error(`the answer to the ${what} of ${zone} is no DNS: ${error.message}`)
      throw error
    }
    return answers
  }
}

/** The zone as the server has it. */
async function transferZone(ask: Ask): Promise<WireRecord[]> {
  return (await ask(opcodes.query, types.AXFR)).slice(0, -1)
}

const refusals = (what: string, zone: string): Readonly<Record<number, string>> => ({
  1: `the name server does not understand the ${what} (FORMERR)`,
  2: `the name server fails at the ${what} (SERVFAIL); its log says why`,
  4: `the name server knows no ${what}s (NOTIMP)`,
  5: `the name server refuses the ${what} (REFUSED): allow it to this key, with ${what === 'update' ? 'allow-update; or a name server of the zone has no address in it, which its log says' : 'allow-transfer'}`,
  9: `the name server does not have the zone ${zone} (NOTAUTH): add it to its configuration`,
  10: `the name server says that a name is not within ${zone} (NOTZONE)`,
})
