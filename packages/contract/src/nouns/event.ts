import { z } from 'zod'
import { nouns } from '../nouns.ts'
import { type Json, json } from '../primitives/json.ts'

type Nouns = typeof nouns
/** What may happen, by the object that it happens to: as the nouns say it. */
export type EventType = {
  [K in keyof Nouns]: Nouns[K] extends {
    subject: infer Subject extends string
    events: readonly (infer E extends string)[]
  }
    ? `${Subject}.${E}`
    : never
}[keyof Nouns]

/** The names of nouns, by what their events begin with. */
const kinds = new Map<string, string>(
  Object.values(nouns).flatMap(noun => ('subject' in noun ? [[noun.subject, noun.name] as const] : [])),
)

/** What kind of object an event of a type happens to. */
export const subjectKind = (type: string): string => kinds.get(type.slice(0, type.indexOf('.'))) ?? ''

export const eventTypes = Object.values(nouns).flatMap(noun =>
  'events' in noun ? noun.events.map(event => `${noun.subject}.${event}`) : [],
) as EventType[]

export const eventView = z
  .object({
    /** Where it stands in the order of all events: pass as `after` to read what follows. */
    cursor: z.string(),
    at: z.iso.datetime(),
    type: z.enum(eventTypes as [EventType, ...EventType[]]),
    /** Who caused it: a token's name, `foreman`, or what an embedding program said. */
    by: z.string(),
    /** What it happened to; its version afterwards, where that is known. */
    subject: z.object({
      kind: z.string(),
      id: z.union([z.string(), z.number()]),
      version: z.number().int().nullable(),
    }),
    job: z.number().int().nullable(),
    foundation: z.string().nullable(),
    structure: z.number().int().nullable(),
    dependency: z.number().int().nullable(),
    data: z.record(z.string(), json),
  })
  .meta({ id: 'Event' })

/** What events tell besides whom they are about. */
type EventData<Type extends EventType> = Record<string, Json> &
  (Type extends 'job.message' ? { message: string } : Type extends `job.${string}` ? { action: string } : unknown)

/** An event: its `type` tells what its `data` holds. */
export type Event = {
  [Type in EventType]: Omit<z.output<typeof eventView>, 'type' | 'data'> & { type: Type; data: EventData<Type> }
}[EventType]
