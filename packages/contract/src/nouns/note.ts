import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, shown, stamps } from '../field.ts'
import { crud } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { id } from '../value/names.ts'
import { objectKind } from '../value/object-kind.ts'

/** What people write down about an object: why a drive was changed, whom to call. */
export const noteFields = defineFields('Note', {
  id: shown(id),
  title: field(z.string().min(1, 'must not be empty').max(200, 'must be 200 characters at the most')),
  text: field(z.string().default('')),
  kind: fixed(objectKind, { filter: objectKind }),
  key: fixed(z.string(), { filter: z.string() }),
  ...stamps,
})
export type NoteView = z.output<typeof noteFields.view>

export const note = defineNoun({
  ...{ name: 'Note', path: 'notes', part: 'notes', key: { name: 'id', schema: id } },
  ...({ subject: 'note', events: ['created', 'changed', 'deleted'] } as const),
  methods: crud(noteFields, askableQuery(noteFields.filter, idPageRequest), { one: 'a Note', many: 'Notes' }),
})
