import { ContractorError } from '@contractor/plugin'
import snmp from 'net-snmp'
import { deviceError } from './device-error.ts'
import type { SnmpConnection } from './snmp-connection.ts'
import { whyNoConnection } from './snmp-connection.ts'

/** One variable of an agent, as text: of an octet string what it says, or hexadecimal where that is no text. */
export interface SnmpVariable {
  oid: string
  value: string
  /** As net-snmp names it: `OctetString`, `Integer` … */
  type: string
  /** Of an octet string, itself. */
  bytes?: Uint8Array
}

/** An SNMP agent. Every failure is coded, with the agent's own words. */
export interface SnmpAgent {
  /** In the order asked for; undefined for what it does not have. */
  get(oids: readonly string[]): Promise<(SnmpVariable | undefined)[]>
  /**
   * With the type that the variable has; throws NOT_FOUND where there is none, unless a type is named: then it may be one that is
   * made by being written, as a row of a table is.
   */
  set(oid: string, value: string | Uint8Array, type?: 'Integer' | 'OctetString'): Promise<void>
  /** All below an identifier, in order; at most `most`, and an error where there are more. */
  walk(oid: string, most?: number): Promise<SnmpVariable[]>
}

export interface SnmpOptions {
  signal: AbortSignal
  /** How long it is waited for each of four tries, in milliseconds; 2 s unless said. */
  timeoutMs?: number
}

const retries = 3
const versions = { SNMPv1: snmp.Version1, SNMPv2c: snmp.Version2c }

/** Runs with a session that is closed whatever comes of it, and at once when it is aborted. */
export async function withSnmp<T>(
  connection: SnmpConnection,
  { signal, timeoutMs = 2000 }: SnmpOptions,
  work: (agent: SnmpAgent) => Promise<T>,
): Promise<T> {
  const { host, port } = connection
  const name = `SNMP ${host}:${port}`
  const wrong = whyNoConnection(connection)
  if (wrong) throw deviceError('DEVICE_REFUSED', name, wrong)
  signal.throwIfAborted()
  const session = openSession(connection, timeoutMs)
  let onAbort: () => void = () => undefined
  const ended = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    // A host name that is none, and an ICMP message in place of an answer.
    session.on('error', error => reject(toDeviceError(name, error)))
  })
  try {
    return await Promise.race([work(createAgent(session, name)), ended])
  } finally {
    signal.removeEventListener('abort', onAbort)
    session.close()
  }
}

type Session = ReturnType<typeof snmp.createSession>

function openSession(connection: SnmpConnection, timeoutMs: number): Session {
  const { host, port, protocol, community } = connection
  const transport = host.includes(':') ? 'udp6' : 'udp4'
  const options = { port, retries, timeout: timeoutMs, transport } as const
  if (protocol !== 'SNMPv3')
    return snmp.createSession(host, community ?? '', { ...options, version: versions[protocol] })
  const { user, auth_key, priv_key, auth_protocol, priv_protocol } = connection
  const { noAuthNoPriv, authNoPriv, authPriv } = snmp.SecurityLevel
  return snmp.createV3Session(
    host,
    {
      name: user ?? '',
      level: auth_key === null ? noAuthNoPriv : priv_key === null ? authNoPriv : authPriv,
      ...(auth_key !== null && { authProtocol: snmp.AuthProtocols[auth_protocol], authKey: auth_key }),
      ...(priv_key !== null && { privProtocol: snmp.PrivProtocols[priv_protocol], privKey: priv_key }),
    } as snmp.User,
    options,
  )
}

function createAgent(session: Session, name: string): SnmpAgent {
  const fail = (error: unknown) => toDeviceError(name, error)
  const read = (oids: readonly string[]) =>
    new Promise<(snmp.Varbind | undefined)[]>((resolve, reject) => {
      session.get([...oids], (error: Error | null, found: snmp.Varbind[] = []) => {
        // SNMPv1 has no other way to say that there is none.
        if (error && isMissing(error)) return resolve(oids.map(() => undefined))
        if (error) return reject(fail(error))
        resolve(found.map(one => (snmp.isVarbindError(one) ? undefined : one)))
      })
    })
  return {
    async get(oids) {
      return (await read(oids)).map(one => one && toVariable(one))
    },
    async set(oid, value, as) {
      const [present] = await read([oid])
      const type = present?.type ?? (as && snmp.ObjectType[as])
      if (type === undefined)
        throw new ContractorError('NOT_FOUND', `${name}: it has no ${oid}`, { kind: 'variable', id: oid })
      await new Promise<void>((resolve, reject) => {
        session.set([{ oid, type, value: toValue(type, value) } as snmp.Varbind], (error, [found] = []) => {
          if (error) return reject(fail(error))
          if (found && snmp.isVarbindError(found))
            return reject(deviceError('DEVICE_REFUSED', name, `${oid}: ${snmp.varbindError(found)}`))
          resolve()
        })
      })
    },
    walk: (oid, most = 100_000) =>
      new Promise((resolve, reject) => {
        const all: SnmpVariable[] = []
        const take = (found: snmp.Varbind[]) => {
          for (const one of found) if (!snmp.isVarbindError(one)) all.push(toVariable(one))
          // True ends it.
          return all.length > most
        }
        session.subtree(oid, 20, take as never, (error: Error | null) => {
          if (error && !isMissing(error)) return reject(fail(error))
          if (all.length > most)
            return reject(deviceError('DEVICE_ANSWER_INVALID', name, `it has more than ${most} below ${oid}`))
          resolve(all)
        })
      }),
  }
}

function toVariable({ oid, type = 0, value }: snmp.Varbind): SnmpVariable {
  const bytes = Buffer.isBuffer(value) ? { bytes: value } : {}
  return { oid, type: snmp.ObjectType[type] ?? String(type), value: toText(value), ...bytes }
}

function toText(value: unknown): string {
  if (!Buffer.isBuffer(value)) return value === null || value === undefined ? '' : String(value)
  // Counter64 is eight bytes; a text of eight is told from it by what is in it.
  const text = value.toString('utf8')
  if (!/[\p{Cc}\uFFFD]/u.test(text.replace(/[\t\r\n]|\0$/g, ''))) return text.replace(/\0$/, '')
  return value.toString('hex')
}

function toValue(type: number | undefined, given: string | Uint8Array): unknown {
  if (typeof given !== 'string') return Buffer.from(given)
  const { Integer, Counter, Gauge, TimeTicks, Integer32, Unsigned32 } = snmp.ObjectType as unknown as Record<
    string,
    number
  >
  const isNumber = [Integer, Counter, Gauge, TimeTicks, Integer32, Unsigned32].includes(type)
  return isNumber ? Number(given) : given
}

const isMissing = (error: unknown) =>
  error instanceof Error && /NoSuchName|NoSuchObject|NoSuchInstance/i.test(error.message)

function toDeviceError(name: string, thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { message, code = '' } = error as Error & { code?: string }
  if (error.name === 'RequestTimedOutError')
    return deviceError('DEVICE_UNREACHABLE', name, 'nothing answers there, or not to this community or user')
  if (/unknown user|wrong digest|decryption|authentication|unsupported security level/i.test(message))
    return deviceError('DEVICE_UNAUTHENTICATED', name, `it does not take this user or its keys (${message})`)
  if (/noaccess|notwritable|readonly|authorizationerror/i.test(message.replaceAll(/\W/g, '')))
    return deviceError('DEVICE_REFUSED', name, `that may not be written (${message})`)
  if (/^E[A-Z_]+$/.test(code)) return deviceError('DEVICE_UNREACHABLE', name, `nothing answers there (${message})`)
  if (error.name === 'ResponseInvalidError') return deviceError('DEVICE_ANSWER_INVALID', name, message)
  return deviceError('DEVICE_REFUSED', name, message)
}
