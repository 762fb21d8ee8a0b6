import { createHmac, timingSafeEqual } from 'node:crypto'
import { classes, decodeMessage, nameBytes, recordBytes, types, uint16, uint32 } from './message.ts'
import { type TsigKey, tsigAlgorithms } from './tsig-key.ts'

export type { TsigKey } from './tsig-key.ts'

/** How far clocks may be apart, in seconds (RFC 8945, section 10). */
const fudge = 300

/** The errors of RFC 8945, section 3, that a name server gives, with what to do. */
const tsigErrors: Readonly<Record<number, string>> = {
  16: 'the name server does not accept the signature (BADSIG): the secret or the algorithm of the key is another one there',
  17: 'the name server does not know the key (BADKEY): its name or algorithm is another one there',
  18: 'the clocks are more than five minutes apart (BADTIME)',
  22: 'the signature is too short for the name server (BADTRUNC)',
}

/** A signature that does not hold. */
export class TsigFailure extends Error {
  override readonly name = 'TsigFailure'
}

export interface Signed {
  readonly bytes: Buffer
  readonly mac: Buffer
}

/** Appends the signature to a request (RFC 8945, section 5.1). The time is in seconds since 1970. */
export function signMessage(message: Buffer, key: TsigKey, time: number): Signed {
  const mac = digest(key, [message, variables(key, time, 0, Buffer.alloc(0))])
  const data = Buffer.concat([
    ...[nameBytes(key.algorithm), uint48(time), uint16(fudge), uint16(mac.length), mac],
    ...[message.subarray(0, 2), uint16(0), uint16(0)],
  ])
  const record = recordBytes({ name: key.name, type: types.TSIG, class: classes.ANY, ttl: 0, data })
  return { bytes: Buffer.concat([withAdditional(message, 1), record]), mac }
}

/**
 * Checks the answers to one request, in their order. A long answer comes in several messages, of which each signature is
 * over all since the one before (section 5.3.1); the last must have one.
 */
export function createVerifier(key: TsigKey, request: Signed, time: () => number) {
  let last = request.mac
  let isFirst = true
  let unsigned: Buffer[] = []
  return {
    /** Throws TsigFailure when the answer is not from who has the key. */
    verify(bytes: Buffer): void {
      const { tsig } = decodeMessage(bytes)
      if (!tsig) {
        if (isFirst) throw new TsigFailure('the answer is not signed: the name server does not know the key')
        // As many as a signature may be over.
        if (unsigned.push(bytes) > 99) throw new TsigFailure('too much of the answer is not signed')
        return
      }
      const { algorithm, mac, signedAt, distance, id, error, other } = readData(tsig.record.data)
      if (error !== 0)
        throw new TsigFailure(tsigErrors[error] ?? `the name server says error ${error} to the signature`)
      if (tsig.record.name !== key.name || algorithm !== key.algorithm)
        throw new TsigFailure('the answer is signed with another key')
      // They differ where a program between has sent the message on: there is none here.
      if (id !== bytes.readUInt16BE(0)) throw new TsigFailure('the answer was signed for another question')
      const message = withAdditional(bytes.subarray(0, tsig.at), -1)
      const timers = Buffer.concat([uint48(signedAt), uint16(distance)])
      const rest = isFirst ? variables(key, signedAt, error, other, distance) : timers
      const wanted = digest(key, [uint16(last.length), last, ...unsigned, message, rest])
      if (mac.length !== wanted.length || !timingSafeEqual(mac, wanted))
        throw new TsigFailure('the signature of the answer does not hold')
      if (Math.abs(time() - signedAt) > distance) throw new TsigFailure('the answer was signed at another time')
      last = mac
      isFirst = false
      unsigned = []
    },
    /** Throws when the end of the answer is not signed. */
    end(): void {
      if (unsigned.length) throw new TsigFailure('the end of the answer is not signed')
    },
  }
}

function digest(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(tsigAlgorithms[key.algorithm] ?? '', key.secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function variables({ name, algorithm }: TsigKey, time: number, error: number, other: Buffer, distance = fudge): Buffer {
  return Buffer.concat([
    ...[nameBytes(name), uint16(classes.ANY), uint32(0), nameBytes(algorithm)],
    ...[uint48(time), uint16(distance), uint16(error), uint16(other.length), other],
  ])
}

function readData(data: Buffer) {
  const labels: string[] = []
  let at = 0
  for (let length = data.readUInt8(0); length !== 0; length = data.readUInt8(at)) {
    labels.push(data.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += length + 1
  }
  at++
  const size = data.readUInt16BE(at + 8)
  const end = at + 10 + size
  if (end + 6 + data.readUInt16BE(end + 4) !== data.length) throw new RangeError('the signature is cut off')
  return {
    algorithm: labels.join('.'),
    signedAt: data.readUIntBE(at, 6),
    distance: data.readUInt16BE(at + 6),
    mac: data.subarray(at + 10, end),
    id: data.readUInt16BE(end),
    error: data.readUInt16BE(end + 2),
    other: data.subarray(end + 6, end + 6 + data.readUInt16BE(end + 4)),
  }
}

function withAdditional(message: Buffer, more: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(copy.readUInt16BE(10) + more, 10)
  return copy
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  return bytes
}
