import type { Json } from '../json.ts'
import { Fault } from '../value/fault.ts'
import { isSecret } from '../value/kinds.ts'
import { MAX_SIZE } from '../value/size.ts'
import { toText } from '../value/text.ts'
import type { Machine } from './machine.ts'

/** `left . right`. What is joined with a secret is a secret; the host makes the reference, for only it knows the content. */
export function join(machine: Machine, left: Json, right: Json): Json {
  if (!isSecret(left) && !isSecret(right)) return joinTexts(toText(left), toText(right))
  const { joinSecret } = machine.host
  if (!joinSecret) throw new Fault('A secret cannot be joined here')
  const joined = joinSecret.call(
    machine.host,
    [left, right].map(part => (isSecret(part) ? part : toText(part))),
  )
  if (!isSecret(joined) || typeof joined.$secret !== 'string')
    throw new Fault('Joining with a secret did not give a secret')
  return { $secret: joined.$secret }
}

function joinTexts(left: string, right: string): string {
  if (left.length + right.length > MAX_SIZE)
    throw new Fault(`The text is too long: it has more than ${MAX_SIZE} characters`)
  return left + right
}
