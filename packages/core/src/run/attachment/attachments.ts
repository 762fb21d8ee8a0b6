import { type AttachmentView, attachmentQuery, type Page, parseInput } from '@contractor/contract'
import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executePrepared } from '../../database/database.ts'
import { attachment } from '../../database/job-schema.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { listRows, matching, toPage } from '../../noun/list-rows.ts'
import { notFound } from '../../noun/refuse.ts'

/** What handlers have attached. They are kept as long as the history of their Jobs. */
export interface Attachments {
  list(query?: z.input<typeof attachmentQuery>, options?: CallOptions): Promise<Page<AttachmentView>>
  get(id: number, options?: CallOptions): Promise<AttachmentView>
  /** Its bytes, piece by piece: it is never in memory as a whole. */
  read(id: number, options?: CallOptions): AsyncGenerator<Uint8Array>
}

export function createAttachments(engine: Engine): Attachments {
  return surface<Attachments>(engine, {
    async list(query = {}, options = {}) {
      const { after, limit, ...filter } = parseInput(attachmentQuery, query, 'The query for attachments')
      const where = [isNotNull(attachment.sha256), ...matching(attachment, filter)]
      const rows = await listRows(options.tx ?? engine.db, attachment, { after, limit }, { key: attachment.id, where })
      return toPage(rows, limit, row => row.id, toView)
    },
    async get(id, options = {}) {
      return find(options.tx ?? engine.db, id)
    },
    async *read(id, options = {}) {
      const db = options.tx ?? engine.db
      await find(db, id)
      for (let place = 0; ; place++) {
        const [piece] = await executePrepared<{ data: string }>(
          db,
          sql`select encode(data, 'base64') as data from contractor.attachment_piece
              where attachment = ${id} and place = ${place}::int`,
        )
        if (!piece) return
        yield Buffer.from(piece.data, 'base64')
      }
    },
  })
}

async function find(db: Db, id: number): Promise<AttachmentView> {
  const [row] = await db
    .select()
    .from(attachment)
    .where(and(eq(attachment.id, id), isNotNull(attachment.sha256)))
  if (!row) throw notFound('Attachment', id)
  return toView(row)
}

function toView(row: typeof attachment.$inferSelect): AttachmentView {
  const { id, job, task, name, contentType, sizeBytes, sha256, createdAt } = row
  return {
    id,
    job,
    task,
    name,
    contentType,
    sizeBytes: sizeBytes ?? 0,
    sha256: sha256 ?? '',
    createdAt: createdAt.toISOString(),
  }
}
