import type { Json } from '../json.ts'

/** A call of the host that has not answered yet. */
export interface PendingCall {
  module: string
  function: string
  arguments: { [name: string]: Json }
  /** The host's own JSON; null before its first answer. */
  state: Json
}

export type CallReply =
  | { kind: 'value'; value: Json }
  /** Ask again at `wakeAt`, seconds since the epoch; without it when something arrives. */
  | { kind: 'pending'; state: Json; message?: string; wakeAt?: number }
  /** An operator decides; running again asks again, with this state. */
  | { kind: 'paused'; state: Json; message: string }
  /** The call failed; running again asks again, with this state. */
  | { kind: 'error'; state: Json; message: string }
  | { kind: 'aborted'; message: string }

/**
 * All that a program can reach. The machine never reads a clock or anything else by itself.
 *
 * What a method throws is passed on by `run` and `step`: the host's own failure is not the script's, and the state that was
 * passed in is still good. Messages of the host must not hold secrets.
 */
export interface Host {
  /** Seconds since the epoch. */
  now(): number
  /** `missing`: there is no such value, which is what `exists( … )` asks. */
  get(module: string, name: string): { value: Json } | { error: string; missing?: boolean }
  set(module: string, name: string, value: Json): { ok: true } | { error: string }
  call(call: PendingCall): CallReply
  /** Joins texts and secrets into a new secret. Without it, joining a secret is an error. */
  joinSecret?(parts: Json[]): Json
}
