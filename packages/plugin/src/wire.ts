import { isStorable, json, reportedJson, wireError } from '@contractor/contract/primitives'
import { z } from 'zod'
import { attachment, mostPieces, pieceBytes } from './attachment.ts'

/**
 * The messages between a SubContractor and the server. All are POSTs under `/api/v1/dispatch/` with a bearer token, and
 * all carry batches, so that a busy agent needs one round trip for many Tasks.
 */

/**
 * On every answer of a Contractor server, whatever its status. Only what carries it, in the form that is told here, is the
 * server's word: a proxy in between says other things, and nobody ends for those.
 */
export const serverHeader = 'contractor-server'

const taskId = z.number().int().positive()
const storable = z.string().refine(isStorable, 'holds NUL or half a character')

/** Names one claim of one Task. Whoever cannot show the present token has lost the Task. */
export const taskClaim = z.object({ taskId, claimToken: storable.min(1).max(100) })
export type TaskClaim = z.output<typeof taskClaim>

/** A Task as an agent receives it. */
export const claimedTask = taskClaim.extend({
  module: z.string(),
  function: z.string(),
  params: json,
  /** The call that it is for: the same for every Task of it. */
  callId: z.string(),
  /** How long its handler may take, in milliseconds. */
  timeoutMs: z.number().int().positive(),
  /** The claim is lost when it is not renewed for this long. */
  leaseMs: z.number().int().positive(),
  /** Which claim of this Task it is, from 1. */
  attempt: z.number().int().positive(),
})
export type ClaimedTask = z.output<typeof claimedTask>

/** What an agent can take on now: for each of its modules, how many Tasks. */
export const claimRequest = z.object({
  /** The agent's name for logs and explanations: a host name, usually. */
  agent: storable.min(1).max(100),
  /** Names this request, other than any before: for `neverHad`. A UUID, say. */
  id: storable.min(1).max(100).optional(),
  /**
   * Requests whose answer did not arrive, and for which this agent does not wait any more: what was handed out in answer
   * to them nobody has begun. To be said again until no answer to them can come any more.
   */
  neverHad: z.array(storable.max(100)).max(1000).optional(),
  modules: z.record(z.string(), z.object({ slots: z.number().int().min(0).max(1000) })),
  /** How long the server may hold the request while there is nothing to do. */
  waitMs: z.number().int().min(0).max(60_000).default(0),
})
export type ClaimRequest = z.output<typeof claimRequest>

export const claimReply = z.object({ tasks: z.array(claimedTask) })
export type ClaimReply = z.output<typeof claimReply>

/** Of one Task, the last of which says that there were more: who logs more than that writes a file. */
export const mostLinesOfTask = 1000

/** A line that a handler has logged. */
export const logLine = z.object({
  /** Its place among those of its Task, from 1: one that is told twice is kept once. */
  place: z.number().int().min(1).max(mostLinesOfTask),
  /** Milliseconds since the epoch, by the agent's clock. */
  at: z.number().min(0).max(8.64e15),
  text: z.string().max(2000),
})
export type LogLine = z.output<typeof logLine>

const lines = z.array(logLine).max(mostLinesOfTask)

/** How a Task ended: exactly one of `result` and `error`; and what its handler has logged since its last report. */
export const taskResult = taskClaim
  .extend({ result: reportedJson.optional(), error: wireError.optional(), lines: lines.optional() })
  .refine(
    ({ result, error }) => (result === undefined) !== (error === undefined),
    'exactly one of result and error is needed',
  )
export type TaskResult = z.output<typeof taskResult>

/** Results, and in the same round trip a claim for more work. */
export const resultsRequest = z.object({
  results: z.array(taskResult).min(1).max(1000),
  claim: claimRequest.optional(),
})
export type ResultsRequest = z.output<typeof resultsRequest>

/** What became of one claim that was shown: kept, or refused because it was lost. */
export const claimStatus = z.object({ taskId, accepted: z.boolean(), reason: z.string().optional() })
export type ClaimStatus = z.output<typeof claimStatus>

export const resultsReply = z.object({ results: z.array(claimStatus), tasks: z.array(claimedTask) })
export type ResultsReply = z.output<typeof resultsReply>

/** What a running handler tells. */
export const taskReport = z.object({
  /** In percent. */
  progress: z.number().min(0).max(100).optional(),
  message: z.string().max(500).optional(),
  lines: lines.optional(),
})
export type TaskReport = z.output<typeof taskReport>

/** One piece of an attachment. Sent twice, it is kept once. */
export const attachRequest = taskClaim.extend({
  /** Names the attachment, before it has an id. */
  upload: z.uuid(),
  name: storable.min(1).max(200),
  contentType: z.string().regex(/^[\x20-\x7e]{1,200}$/, 'must be a media type'),
  /** From 0. */
  place: z
    .number()
    .int()
    .min(0)
    .max(mostPieces - 1),
  /** In base64, `pieceBytes` at the most. */
  data: z.base64().max(Math.ceil(pieceBytes / 3) * 4),
  isLast: z.boolean(),
})
export type AttachRequest = z.output<typeof attachRequest>

/** The attachment, once it is whole. */
export const attachReply = z.object({ attachment: attachment.optional() })
export type AttachReply = z.output<typeof attachReply>

/** What an agent runs all the time, and what it could run: to be asked again and again, before leases run out. */
export const servicesRequest = z.object({
  agent: storable.min(1).max(100),
  /** The services whose runners it has. */
  services: z.array(storable.max(100)).max(100),
  /** Those that it runs, by their claims. */
  running: z
    .array(
      z.object({
        id: z.number().int().positive(),
        claimToken: storable.min(1).max(100),
        /** How it is, for operators; empty while all is well. */
        trouble: z.string().max(500).default(''),
      }),
    )
    .max(1000),
})
export type ServicesRequest = z.output<typeof servicesRequest>

/** All that it is to run now: what is missing of what it runs, it is to end. */
export const servicesReply = z.object({
  run: z.array(
    z.object({
      id: z.number().int().positive(),
      claimToken: storable.min(1).max(100),
      service: z.string(),
      site: z.string(),
      config: json,
      /** Another number: another configuration. */
      version: z.number().int(),
      /** Whoever is not heard of for this long has to have ended it. */
      leaseMs: z.number().int().positive(),
    }),
  ),
})
export type ServicesReply = z.output<typeof servicesReply>

/** Renewal of leases, each with what there is to tell. */
export const claimsRequest = z.object({
  claims: z
    .array(taskClaim.extend({ report: taskReport.optional() }))
    .min(1)
    .max(1000),
})
export type ClaimsRequest = z.output<typeof claimsRequest>

/** The handing back of Tasks. One that was begun counts as lost: the engine looks before it is issued again. */
export const releaseRequest = z.object({
  claims: z
    .array(
      taskClaim.extend({
        begun: z.boolean().default(true),
        /** Why it does not end here, where there is more to say than that the agent stops: `it took longer than 30 s`. */
        reason: z.string().max(500).optional(),
      }),
    )
    .min(1)
    .max(1000),
})
export type ReleaseRequest = z.output<typeof releaseRequest>

export const claimsReply = z.object({ claims: z.array(claimStatus) })
export type ClaimsReply = z.output<typeof claimsReply>
