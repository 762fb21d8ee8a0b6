import { randomUUID } from 'node:crypto'
import { taskFailed } from '@contractor/contract/primitives'
import { type Attachment, type AttachmentContent, mostPieces, pieceBytes } from '../attachment.ts'
import type { AttachReply, AttachRequest, TaskClaim } from '../wire.ts'

export interface Attaching extends TaskClaim {
  name: string
  content: AttachmentContent
  contentType?: string | undefined
  /** Sends one piece until the server has it. */
  send(piece: AttachRequest): Promise<AttachReply>
}

/** Sends content piece by piece; rejects with TASK_FAILED when it is larger than an attachment may be. */
export async function attachContent({
  taskId,
  claimToken,
  name,
  content,
  contentType,
  send,
}: Attaching): Promise<Attachment> {
  const type = contentType ?? (typeof content === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream')
  const piece = { taskId, claimToken, upload: randomUUID(), name, contentType: type }
  let place = 0
  let before: Buffer | undefined
  const sendPiece = (data: Buffer, isLast: boolean) => {
    if (place === mostPieces)
      throw taskFailed(`The attachment '${name}' is larger than ${(mostPieces * pieceBytes) / 1024 / 1024} MiB`)
    return send({ ...piece, place: place++, data: data.toString('base64'), isLast })
  }
  // One behind, since only the end tells which is the last.
  for await (const part of inPieces(content)) {
    if (before) await sendPiece(before, false)
    before = part
  }
  const { attachment } = await sendPiece(before ?? Buffer.alloc(0), true)
  if (!attachment) throw taskFailed(`The server has not kept the attachment '${name}' whole`)
  return attachment
}

async function* inPieces(content: AttachmentContent): AsyncGenerator<Buffer> {
  const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content
  let gathered: Buffer[] = []
  let size = 0
  for await (const part of parts) {
    const bytes = Buffer.from(part as Uint8Array)
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + pieceBytes - size)
      gathered.push(taken)
      size += taken.length
      at += taken.length
      if (size < pieceBytes) continue
      yield Buffer.concat(gathered)
      gathered = []
      size = 0
    }
  }
  if (size > 0) yield Buffer.concat(gathered)
}
