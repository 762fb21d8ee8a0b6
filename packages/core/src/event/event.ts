import type { EventType, Json } from '@contractor/contract'

export interface NewEvent {
  type: EventType
  by: string
  /** The key of what it happened to, where that is none of the four below. */
  subject?: string
  /** The version of that afterwards. */
  version?: number | undefined
  job?: number | null
  foundation?: string | null
  structure?: number | null
  dependency?: number | null
  data?: Record<string, Json>
}
