import { ContractorError, mendText } from '@contractor/contract'
import type {
  AttachReply,
  AttachRequest,
  ClaimedTask,
  ClaimRequest,
  ClaimStatus,
  ClaimsRequest,
  ReleaseRequest,
  ResultsReply,
  ResultsRequest,
  ServicesReply,
  ServicesRequest,
  TaskClaim,
  TaskResult,
} from '@contractor/plugin/wire'
import { type Db, inShortTransaction, isLockTimeout, isSerializationFailure } from '../../database/database.ts'
import { toDatabaseError } from '../../database/database-error.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { surface } from '../../engine/surface.ts'
import { keepPiece } from '../attachment/keep-piece.ts'
import type { Advanced, Advancer } from '../foreman/advance-jobs.ts'
import { waitForJobs } from '../foreman/work.ts'
import { hearInquiries } from '../inquiry/hear-inquiries.ts'
import { answerInquiries, claimInquiries, holdInquiries } from '../inquiry/held-inquiries.ts'
import { assignServices } from '../service/assign-services.ts'
import type { AgentIdentity } from '../task/agent-identity.ts'
import type { Answer } from '../task/answered-tasks.ts'
import { toArrival, toAsked } from '../task/arrival.ts'
import { createClaimQueue } from '../task/claim-queue.ts'
import { type Claimer, claimTasks, hasCapacity, roomAfter, toTaker } from '../task/claim-tasks.ts'
import { keepAnswers } from '../task/claim-words.ts'
import { findHeld, freeHeld, freeUnheard, type HeldTask, nameOf, renewHeld } from '../task/held-tasks.ts'
import { keepLines, showProgress } from '../task/note-reports.ts'
import { createPresence } from '../task/presence.ts'

/** The handing out of Tasks, and the taking of their answers. Nobody of them waits for what somebody else holds. */
export interface Dispatch {
  /** Tasks for an agent, each with a fresh claim token and a lease. Waits up to `waitMs` for there to be any. */
  claim(agent: AgentIdentity, request: ClaimRequest, signal?: AbortSignal): Promise<ClaimedTask[]>
  /**
   * Takes answers. One without the present token of its Task is refused, and changes nothing; so is one that nobody waits
   * for any more, which only goes into the history. One whose Job somebody else has in hand is kept, and acted upon later.
   */
  results(agent: AgentIdentity, results: readonly TaskResult[]): Promise<ClaimStatus[]>
  /** Takes answers and claims more work; it does not wait for work. */
  exchange(agent: AgentIdentity, request: ResultsRequest, signal?: AbortSignal): Promise<ResultsReply>
  /** Extends leases, and shows what running handlers tell; a claim that is refused is lost. */
  renew(agent: AgentIdentity, claims: ClaimsRequest['claims']): Promise<ClaimStatus[]>
  /** Keeps one piece of a large output of a Task that is held; the whole, with the last one. Throws CLAIM_LOST, and VALIDATION_FAILED for too many. */
  attach(agent: AgentIdentity, piece: AttachRequest): Promise<AttachReply>
  /** What an agent is to run all the time: its configurations, with claims and leases like Tasks. */
  services(agent: AgentIdentity, request: ServicesRequest): Promise<ServicesReply>
  /** Takes Tasks back. Those that were begun count as lost: their Jobs look before anything is done again. */
  release(agent: AgentIdentity, claims: ReleaseRequest['claims']): Promise<ClaimStatus[]>
}

const lost = 'This claim is lost: its lease ran out, or its Job does not want it any more'
const unwanted = 'Its Job does not want it any more: the answer is kept in the history alone'

export function createDispatch(engine: Engine, advancer: Advancer): Dispatch {
  const presence = createPresence(engine)
  const queue = createClaimQueue(engine)
  const inquiries = hearInquiries(engine)
  const { db } = engine

  /** What is in the way of one answer keeps no other from being taken. */
  async function deliver(answers: ReadonlyMap<number, Answer>, claimer?: Claimer): Promise<Advanced> {
    const advanced = await advancer.deliver(answers, claimer)
    const among = (jobs: ReadonlySet<number>) => new Map([...answers].filter(([job]) => jobs.has(job)))
    let left = among(advanced.aside)
    if (left.size) {
      // Another process of ours has them in hand for a moment; whoever has them for longer is not waited for.
      await waitForJobs(engine, [...left.keys()])
      const again = await advancer.deliver(left)
      for (const job of again.moved) advanced.moved.add(job)
      left = among(again.aside)
    }
    if (left.size) {
      const kept = await inShortTransaction(engine.database, tx => keepAnswers(engine, tx, left))
      for (const job of kept) advanced.moved.add(job)
      await tell('job')
    }
    return advanced
  }

  const tell = (...topics: Parameters<typeof notify>[1][]) => notify(db, ...topics)

  async function take(agent: AgentIdentity, results: readonly TaskResult[], claimer?: Claimer) {
    const held = await findHeld(db, agent, results)
    const answers = new Map<number, Answer>()
    const logged: { task: HeldTask; lines: TaskResult['lines'] }[] = []
    for (const answer of results) {
      const task = held.get(nameOf(answer))
      // Of an answer that stands twice in one message, the first counts.
      if (!task || answers.has(task.job)) continue
      answers.set(task.job, { arrival: toArrival(engine, answer, task), task })
      if (answer.lines?.length) logged.push({ task, lines: answer.lines })
    }
    // Before the answers: a Job that is over by one of them has its history whole.
    if (logged.length) await inShortTransaction(engine.database, tx => keepLines(engine, tx, logged))
    const { moved, tasks } = await deliver(answers, claimer)
    const others = results.filter(answer => !held.has(nameOf(answer)))
    const inquired = await answerInquiries(engine, db, agent, others)
    if (inquired.size) await tell('answer')
    const statuses = toStatuses(results, answer => {
      if (inquired.has(nameOf(answer))) return undefined
      const task = held.get(nameOf(answer))
      if (!task || !answers.has(task.job) || !moved.has(task.job)) return lost
      answers.delete(task.job)
      return task.isRevoked ? unwanted : undefined
    })
    return { statuses, tasks }
  }

  /** Older Tasks first, in a transaction of their own, and then what the answers bring forth. */
  async function claimNow(claimer: Claimer): Promise<ClaimedTask[]> {
    if (!hasCapacity(claimer)) return []
    // One statement, which locks nothing that somebody else has: it needs no transaction around it.
    return claimTasks(engine, db, claimer).catch(error => {
      if (isLockTimeout(error) || isSerializationFailure(error)) return []
      throw error
    })
  }

  /** Secrets are resolved here alone: into the Task that is handed out. One whose secret cannot be opened is no other's harm. */
  async function reveal(tasks: readonly ClaimedTask[]): Promise<ClaimedTask[]> {
    const open: ClaimedTask[] = []
    const closed: { task: ClaimedTask; reason: string }[] = []
    for (const task of tasks) {
      try {
        open.push({ ...task, params: engine.seals.reveal(task.params) })
      } catch (error) {
        closed.push({ task, reason: error instanceof Error ? error.message : String(error) })
      }
    }
    if (closed.length) await refuse(closed)
    return open
  }

  async function refuse(closed: readonly { task: ClaimedTask; reason: string }[]): Promise<void> {
    const anybody = { name: '', sites: [], modules: closed.map(one => one.task.module) }
    const held = await findHeld(
      db,
      anybody,
      closed.map(one => one.task),
    )
    const answers = closed.flatMap(({ task, reason }): [number, Answer][] => {
      const own = held.get(nameOf(task))
      return own ? [[own.job, { arrival: { kind: 'refused', reason, task: toAsked(own) }, task: own }]] : []
    })
    await deliver(new Map(answers))
  }

  /** Whoever asked is gone: nobody has begun these. */
  async function giveBack(agent: AgentIdentity, tasks: readonly ClaimedTask[]): Promise<ClaimedTask[]> {
    if (tasks.length)
      await dispatch.release(
        agent,
        tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, begun: false })),
      )
    return []
  }

  async function hear(agent: AgentIdentity, request: ClaimRequest): Promise<void> {
    presence.seen(agent, request)
    if (!request.neverHad?.length) return
    const freed = await inShortTransaction(engine.database, tx =>
      freeUnheard(tx, request.agent, request.neverHad ?? []),
    )
    if (freed > 0) await tell('task')
  }

  /** By themselves: that one of them cannot be written ends no renewal. */
  async function hearReports(agent: AgentIdentity, claims: ClaimsRequest['claims']): Promise<void> {
    const telling = claims.filter(one => one.report)
    if (!telling.length) return
    const held = await findHeld(db, agent, telling)
    const reported = telling.flatMap(({ report, ...claim }) => {
      const task = held.get(nameOf(claim))
      return task && report ? [{ task, report }] : []
    })
    await inShortTransaction(engine.database, async tx => {
      await keepLines(
        engine,
        tx,
        reported.map(({ task, report: { lines } }) => ({ task, lines })),
      )
      await showProgress(engine, tx, reported)
    }).catch(error => {
      if (isLockTimeout(error)) return
      const shown = toDatabaseError(error, `The database in ${engine.database.name}`)
      engine.log('warn', 'What running handlers tell could not be kept', { error: String(shown) })
    })
  }

  const dispatch: Dispatch = surface<Dispatch>(engine, {
    async claim(agent, request, signal) {
      await hear(agent, request)
      const claimer = toTaker(agent, request)
      const look = async () => {
        const tasks = await claimNow(claimer)
        const others = inquiries.mayBeOpen() ? await claimInquiries(engine, db, roomAfter(claimer, tasks)) : []
        return reveal([...tasks, ...others])
      }
      const tasks = await queue.wait(claimer, request.waitMs, signal, look)
      return signal?.aborted ? giveBack(agent, tasks) : tasks
    },
    async results(agent, results) {
      return (await take(agent, results)).statuses
    },
    async exchange(agent, { results, claim }, signal) {
      if (claim) await hear(agent, claim)
      const claimer = claim && toTaker(agent, claim)
      const older = claimer ? await claimNow(claimer) : []
      try {
        const { statuses, tasks: fresh } = await take(agent, results, claimer && roomAfter(claimer, older))
        const tasks = await reveal([...older, ...fresh])
        return { results: statuses, tasks: signal?.aborted ? await giveBack(agent, tasks) : tasks }
      } catch (error) {
        await giveBack(agent, older).catch(() => undefined)
        throw error
      }
    },
    async renew(agent, claims) {
      const kept = await inShortTransaction(engine.database, tx => renewHeld(engine, tx, agent, claims))
      await hearReports(
        agent,
        claims.filter(one => kept.has(nameOf(one))),
      )
      const others = claims.filter(one => !kept.has(nameOf(one)))
      const inquired = await holdInquiries(engine, db, others, true)
      return toStatuses(claims, one => (kept.has(nameOf(one)) || inquired.has(nameOf(one)) ? undefined : lost))
    },
    async attach(agent, piece) {
      const task = (await findHeld(db, agent, [piece])).get(nameOf(piece))
      if (!task) throw new ContractorError('CLAIM_LOST', lost, { taskId: piece.taskId })
      const whole = await inShortTransaction(engine.database, tx => keepPiece(engine, tx, task, piece))
      return whole ? { attachment: whole } : {}
    },
    services: (agent, request) => inShortTransaction(engine.database, tx => assignServices(engine, tx, agent, request)),
    async release(agent, claims) {
      const idle = claims.filter(one => !one.begun)
      const free = await inShortTransaction(engine.database, (tx: Db) => freeHeld(tx, agent, idle))
      const held = await findHeld(
        db,
        agent,
        claims.filter(one => one.begun || free.revoked.has(nameOf(one))),
      )
      const reasons = new Map(claims.map(one => [nameOf(one), one.reason]))
      const begun = (task: HeldTask): Answer => ({
        arrival: { kind: 'lost', agent: task.agent, ...given(task, reasons), task: toAsked(task) },
        task,
      })
      const { moved } = await deliver(new Map([...held.values()].map(task => [task.job, begun(task)])))
      const inquired = await holdInquiries(
        engine,
        db,
        claims.filter(one => !free.idle.has(nameOf(one)) && !held.has(nameOf(one))),
        false,
      )
      if (free.idle.size || inquired.size) await tell('task')
      return toStatuses(claims, one => {
        const task = held.get(nameOf(one))
        return inquired.has(nameOf(one)) || free.idle.has(nameOf(one)) || (task && moved.has(task.job))
          ? undefined
          : lost
      })
    },
  })
  return dispatch
}

/** Why a Task was given back, if that was said. */
function given({ id, claimToken, agent }: HeldTask, reasons: ReadonlyMap<string, string | undefined>) {
  const reason = reasons.get(nameOf({ taskId: id, claimToken }))
  return reason === undefined ? {} : { reason: `the agent ${agent} gave it back: ${mendText(reason)}` }
}

/** `refused` says why a claim is not accepted. */
function toStatuses<Claim extends TaskClaim>(
  shown: readonly Claim[],
  refused: (claim: Claim) => string | undefined,
): ClaimStatus[] {
  return shown.map(claim => {
    const reason = refused(claim)
    return reason === undefined
      ? { taskId: claim.taskId, accepted: true }
      : { taskId: claim.taskId, accepted: false, reason }
  })
}
