import { ContractorError, mendText } from '@contractor/contract'
import type { Attachment } from '@contractor/plugin'
import type { AttachRequest } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import type { HeldTask } from '../task/held-tasks.ts'

/** Of one Task. */
const mostAttachments = 20

/**
 * Keeps one piece of an attachment of a Task that is held, and with the last one gives the whole. A piece that comes twice,
 * since the answer to it was lost, is kept once. Secrets that the Task was given are masked, also where they lie in two
 * pieces. Throws VALIDATION_FAILED for too many.
 */
export async function keepPiece(
  engine: Engine,
  tx: Db,
  task: HeldTask,
  piece: AttachRequest,
): Promise<Attachment | undefined> {
  const secrets = engine.seals
    .plainTexts(task.params)
    .filter(text => text.length > 2)
    .map(text => Buffer.from(text))
  const id = await idOf(engine, tx, task, piece)
  await executePrepared(
    tx,
    sql`insert into contractor.attachment_piece (attachment, place, data)
        values (${id}, ${piece.place}, decode(${mask(Buffer.from(piece.data, 'base64'), secrets).toString('base64')}, 'base64'))
        on conflict do nothing`,
  )
  if (!piece.isLast) return undefined
  if (secrets.length) await maskBetween(tx, id, secrets)
  const [whole] = await executePrepared<{ size: string; sha256: string; name: string; type: string; pieces: number }>(
    tx,
    sql`update contractor.attachment set size_bytes = sum.size, sha256 = sum.sha256
        from (select count(*)::int as pieces, coalesce(sum(length(data)), 0)::bigint as size,
            encode(sha256(coalesce(string_agg(data, ''::bytea order by place), ''::bytea)), 'hex') as sha256
          from contractor.attachment_piece where attachment = ${id}) as sum
        where id = ${id} and sum.pieces = ${piece.place + 1}::int
        returning size_bytes::text as size, attachment.sha256, name, content_type as type, sum.pieces`,
  )
  if (!whole) return undefined
  return {
    attachment: id,
    name: whole.name,
    contentType: whole.type,
    sizeBytes: Number(whole.size),
    sha256: whole.sha256,
  }
}

async function idOf(engine: Engine, tx: Db, { id: task, job }: HeldTask, piece: AttachRequest): Promise<number> {
  const { upload, name, contentType } = piece
  const [row] = await executePrepared<{ id: string; count: number }>(
    tx,
    sql`with made as (
          insert into contractor.attachment (upload, job, task, name, content_type, created_at)
          values (${upload}::uuid, ${job}, ${task}, ${mendText(name)}, ${contentType}, ${engine.clock.now()})
          on conflict do nothing returning id)
        select id::text, 0 as count from made
        union all select id::text, 0 from contractor.attachment where upload = ${upload}::uuid and task = ${task}`,
  )
  if (!row) throw new ContractorError('CONFLICT', `The attachment '${name}' is another Task's`, {})
  const [{ count } = { count: 0 }] = await executePrepared<{ count: number }>(
    tx,
    sql`select count(*)::int as count from contractor.attachment where task = ${task}`,
  )
  if (count > mostAttachments)
    throw new ContractorError('VALIDATION_FAILED', `A Task has ${mostAttachments} attachments at the most`, {
      issues: [],
    })
  return Number(row.id)
}

/** Each byte of a secret becomes `*`: so a piece keeps its length, and what lies in two of them can be masked in both. */
function mask(data: Buffer, secrets: readonly Buffer[]): Buffer {
  for (const secret of secrets)
    for (let at = data.indexOf(secret); at >= 0; at = data.indexOf(secret, at + secret.length))
      data.fill('*', at, at + secret.length)
  return data
}

/** Masks what begins in one piece and ends in the next. */
async function maskBetween(tx: Db, id: number, secrets: readonly Buffer[]): Promise<void> {
  const most = Math.max(...secrets.map(secret => secret.length)) - 1
  const edges = await executePrepared<{ place: number; tail: string; head: string }>(
    tx,
    sql`select piece.place, encode(substring(piece.data from greatest(1, length(piece.data) - ${most}::int + 1)), 'base64') as tail,
          encode(substring(next.data for ${most}::int), 'base64') as head
        from contractor.attachment_piece piece
        join contractor.attachment_piece next on next.attachment = piece.attachment and next.place = piece.place + 1
        where piece.attachment = ${id} order by piece.place`,
  )
  for (const { place, tail, head } of edges) {
    const before = Buffer.from(tail, 'base64')
    const joined = Buffer.concat([before, Buffer.from(head, 'base64')])
    const masked = mask(Buffer.from(joined), secrets)
    if (masked.equals(joined)) continue
    const [end, begin] = [masked.subarray(0, before.length), masked.subarray(before.length)]
    await executePrepared(
      tx,
      sql`update contractor.attachment_piece set data = case place
            when ${place}::int then overlay(data placing decode(${end.toString('base64')}, 'base64') from length(data) - ${end.length}::int + 1)
            else overlay(data placing decode(${begin.toString('base64')}, 'base64') from 1) end
          where attachment = ${id} and place in (${place}::int, ${place + 1}::int)`,
    )
  }
}
