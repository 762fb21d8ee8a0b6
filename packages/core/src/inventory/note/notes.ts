import { type NoteView, nouns } from '@contractor/contract'
import { note } from '../../database/schema.ts'
import type { Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { type Crud, implement } from '../../noun/implement.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { shownStamps } from '../../noun/stamps.ts'

export type Notes = Crud<typeof nouns.note, NoteView, number>

export const createNotes = (engine: Engine): Notes =>
  surface<Notes>(
    engine,
    implement<typeof nouns.note, typeof note, NoteView, number>(engine, {
      noun: nouns.note,
      kept: { kind: 'Note', table: note, key: note.id, lock: 'note' },
      views: (_, rows) => rows.map(row => ({ ...row, kind: row.kind as NoteView['kind'], ...shownStamps(row) })),
      check: (tx, { next: { kind, key } }) => refuseUnknown(tx, { [kind]: [key] }),
    }),
  )
