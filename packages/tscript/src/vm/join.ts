import type { Json } from '../json.ts'
import { Fault } from '../value/fault.ts'
import { isSecret } from '../value/kinds.ts'
import type { Meter } from '../value/meter.ts'
import { MAX_SIZE } from '../value/size.ts'
import { findUnstorable } from '../value/storable.ts'
import { tooLong, toText } from '../value/text.ts'
import type { Machine } from './machine.ts'

/** `left . right`. What is joined with a secret is a secret; the host makes the reference, for only it knows the content. */
export function join(machine: Machine, left: Json, right: Json): Json {
  if (!isSecret(left) && !isSecret(right)) return joinTexts(toText(left, machine), toText(right, machine), machine)
  const { joinSecret } = machine.host
  if (!joinSecret) throw new Fault('A secret cannot be joined here')
  const joined = joinSecret.call(
    machine.host,
    [left, right].map(part => (isSecret(part) ? part : handOver(part, machine))),
  )
  if (!isSecret(joined) || typeof joined.$secret !== 'string')
    throw new Fault('Joining with a secret did not give a secret')
  if (findUnstorable(joined.$secret) !== undefined)
    throw new Fault('Joining with a secret gave one that cannot be kept')
  return { $secret: joined.$secret }
}

function handOver(part: Json, meter: Meter): string {
  const text = toText(part, meter)
  meter.touched += text.length
  return text
}

/**
 * JavaScript joins long texts without copying them, and copies when the whole is read, which is charged there. So a join
 * costs the shorter part: adding a line to a long text costs the line.
 */
function joinTexts(left: string, right: string, meter: Meter): string {
  if (left.length + right.length > MAX_SIZE) throw tooLong()
  meter.touched += Math.min(left.length, right.length)
  return left + right
}
