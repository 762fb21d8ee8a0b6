import { z } from 'zod'

/**
 * A large output that a handler has attached: it is kept beside the Job's history, and in its place stands this. For the
 * `result` of a Task.
 */
export const attachment = z.object({
  /** Under which the server has it. */
  attachment: z.number().int().positive(),
  name: z.string().min(1).max(200),
  contentType: z.string().max(200),
  sizeBytes: z.number().int().min(0),
  /** Of what is kept, in hexadecimal digits. */
  sha256: z.string().length(64),
})
export type Attachment = z.output<typeof attachment>

/** What may be attached: a text, bytes, or a stream of bytes, which is not held in memory as a whole. */
export type AttachmentContent = string | Uint8Array | AsyncIterable<Uint8Array>

/** Content goes in pieces of this many bytes: what every proxy lets pass. */
export const pieceBytes = 512 * 1024
/** One attachment has so many pieces at the most, which is 64 MiB. */
export const mostPieces = 128
