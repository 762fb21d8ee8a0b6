import { type Json, json } from '@contractor/plugin'
import { z } from 'zod'

/** What may happen, by the object that it happens to. */
export const eventTypes = [
  'job.created',
  'job.started',
  'job.progress',
  'job.waiting',
  'job.signalled',
  'job.message',
  'job.paused',
  'job.resumed',
  'job.reset',
  'job.error',
  'job.aborted',
  'job.completed',
  'job.cancelled',
  'job.undoing',
  'job.skipped',
  'job.rolled-back',
  'job.undone',
  'script.created',
  'script.changed',
  'script.deleted',
  'pxe.created',
  'pxe.changed',
  'pxe.deleted',
  'blueprint.created',
  'blueprint.changed',
  'blueprint.deleted',
  'foundation.created',
  'foundation.changed',
  'foundation.deleted',
  'foundation.located',
  'foundation.built',
  'foundation.destroyed',
  'cartographer.registered',
  'cartographer.matched',
  'cartographer.mismatched',
  'cartographer.aside',
  'cartographer.released',
  'cartographer.deleted',
  'plot.created',
  'plot.changed',
  'plot.deleted',
  'secret.changed',
  'secret.deleted',
  'structure.created',
  'structure.changed',
  'structure.deleted',
  'structure.built',
  'structure.destroyed',
  'dependency.created',
  'dependency.deleted',
  'dependency.built',
  'dependency.destroyed',
  'zone.created',
  'zone.changed',
  'zone.deleted',
  'zone.published',
  'address-block.created',
  'address-block.changed',
  'address-block.deleted',
  'network.created',
  'network.changed',
  'network.deleted',
  'interface.created',
  'interface.changed',
  'interface.deleted',
  'address.created',
  'address.changed',
  'address.deleted',
] as const
export type EventType = (typeof eventTypes)[number]

export const eventView = z.object({
  /** Where it stands in the order of all events: pass as `after` to read what follows. */
  cursor: z.string(),
  at: z.iso.datetime(),
  type: z.enum(eventTypes),
  /** Who caused it: a token's name, `foreman`, or what an embedding program said. */
  by: z.string(),
  job: z.number().int().nullable(),
  foundation: z.string().nullable(),
  structure: z.number().int().nullable(),
  dependency: z.number().int().nullable(),
  data: z.record(z.string(), json),
})

/** What events tell besides whom they are about. */
type EventData<Type extends EventType> = Record<string, Json> &
  (Type extends 'job.message' ? { message: string } : Type extends `job.${string}` ? { action: string } : unknown)

/** An event: its `type` tells what its `data` holds. */
export type Event = {
  [Type in EventType]: Omit<z.output<typeof eventView>, 'type' | 'data'> & { type: Type; data: EventData<Type> }
}[EventType]

export interface NewEvent {
  type: EventType
  by: string
  job?: number | null
  foundation?: string | null
  structure?: number | null
  dependency?: number | null
  data?: Record<string, Json>
}
