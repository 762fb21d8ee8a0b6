import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { listQuery } from '../field.ts'
import { gets, lists } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { nameUnknown } from '../primitives/near-name.ts'
import { id } from '../value/names.ts'

/** A large output of a Task: a log, a dump, an inventory. */
export const attachmentView = z
  .object({
    id: z.number().int(),
    job: z.number().int(),
    /** The Task whose handler has attached it; steps of the Job's history name it too. */
    task: z.number().int(),
    name: z.string(),
    contentType: z.string(),
    sizeBytes: z.number().int(),
    /** In hexadecimal digits. */
    sha256: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Attachment' })
export type AttachmentView = z.output<typeof attachmentView>

export const attachmentQuery = listQuery(
  z.strictObject({ job: z.number().int().optional() }, { error: nameUnknown }),
  idPageRequest,
)
const called = { one: 'an attachment', many: 'attachments: large outputs of what Jobs have done' }

export const attachment = defineNoun({
  ...{ name: 'Attachment', path: 'attachments', part: 'attachments', key: { name: 'id', schema: id } },
  methods: { get: gets(attachmentView, called), list: lists(attachmentQuery, attachmentView, called) },
})
