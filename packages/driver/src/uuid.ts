import { createHash } from 'node:crypto'

/**
 * A UUID of a text: the same for the same, as a call's id, so that what a call has made is known by it. By names, version 5 of
 * RFC 9562, section 5.5, in a name space of Contractor's own.
 */
export function uuidOf(text: string): string {
  const bytes = createHash('sha1').update(nameSpace).update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const nameSpace = Buffer.from('6b1f2d6ec2a24a3b9c5c6a3f0d1e8b47', 'hex')
