import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from '@contractor/plugin'
import {
  type ClaimedTask,
  type ClaimRequest,
  claimReply,
  claimRequest,
  claimsReply,
  claimsRequest,
  releaseRequest,
  resultsReply,
  resultsRequest,
  serverHeader,
  type TaskClaim,
  type TaskResult,
} from '@contractor/plugin/wire'
import type { z } from 'zod'
import { createRecord } from './record.ts'

export interface Message {
  path: 'claim' | 'results' | 'renew' | 'release'
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies that the schema has checked
  body: any
  status: number
}

export interface NewTask {
  module?: string
  function?: string
  params?: Json
  leaseMs?: number
  timeoutMs?: number
}

type State = 'queued' | 'claimed' | 'done'
interface Task extends Omit<ClaimedTask, 'claimToken'> {
  state: State
  claimToken: string | undefined
  ended: TaskResult | undefined
}

export const agentToken = 'agent-token-0123456789'

/** An answer; without further headers it is that of somebody between agent and server. */
export interface Answer {
  status: number
  body: string
  headers?: { [name: string]: string }
}

/** The server's own refusal. */
export function refusal(status: number, code: string, detail: string): Answer {
  const body = JSON.stringify({ type: `urn:contractor:error:${code}`, title: code, status, code, detail })
  return { status, body, headers: { [serverHeader]: '1', 'content-type': 'application/problem+json' } }
}

/** The server's own reply. */
export function ownReply(content: unknown): Answer {
  const headers = { [serverHeader]: '1', 'content-type': 'application/json' }
  return { status: 200, body: JSON.stringify(content), headers }
}

/**
 * A dispatch server that keeps to the rules and holds the agent to them: every body is parsed strictly, no more Tasks go
 * out than were asked for, and whoever lacks the present claim token is refused. A long poll is held until there is work.
 */
export async function createFakeServer() {
  const tasks = new Map<number, Task>()
  const messages = createRecord<Message>()
  const ended = createRecord<TaskResult>()
  const violations: string[] = []
  const polls = new Set<() => void>()
  let answer: ((message: { path: string; body: string }) => Answer | 'hang' | undefined) | undefined
  let claims = 0
  let port = 0
  let server: Server | undefined

  function hand(out: ClaimRequest): ClaimedTask[] {
    const left = new Map(Object.entries(out.modules).map(([name, { slots }]) => [name, slots]))
    const handed: ClaimedTask[] = []
    for (const task of tasks.values()) {
      const slots = left.get(task.module) ?? 0
      if (task.state !== 'queued' || slots === 0) continue
      left.set(task.module, slots - 1)
      claims += 1
      Object.assign(task, { state: 'claimed', claimToken: `claim-${claims}`, attempt: task.attempt + 1 })
      const { taskId, module, function: name, params, callId, timeoutMs, leaseMs, attempt } = task
      const claim = { taskId, claimToken: `claim-${claims}`, callId, timeoutMs, leaseMs, attempt }
      handed.push({ ...claim, module, function: name, params })
    }
    return handed
  }

  function judge({ taskId, claimToken }: TaskClaim): { task?: Task; accepted: boolean; reason?: string } {
    const task = tasks.get(taskId)
    if (!task) return { accepted: false, reason: 'no such task' }
    if (task.state !== 'claimed' || task.claimToken !== claimToken) return { accepted: false, reason: 'claim is lost' }
    return { task, accepted: true }
  }

  function settleClaims(claimed: readonly TaskClaim[], accept: (task: Task) => void) {
    return claimed.map(claim => {
      const { task, accepted, reason } = judge(claim)
      if (task) accept(task)
      return { taskId: claim.taskId, accepted, ...(reason !== undefined && { reason }) }
    })
  }

  async function claim(body: ClaimRequest, gone: Promise<void>): Promise<ClaimedTask[]> {
    const found = hand(body)
    if (found.length > 0 || body.waitMs === 0) return found
    let wake = () => {}
    const woken = new Promise<ClaimedTask[]>(resolve => {
      wake = () => {
        const later = hand(body)
        if (later.length > 0) resolve(later)
      }
      polls.add(wake)
    })
    try {
      return await Promise.race([woken, gone.then(() => [])])
    } finally {
      polls.delete(wake)
    }
  }

  async function reply(path: string, input: unknown, gone: Promise<void>): Promise<unknown> {
    switch (path) {
      case 'claim':
        return claimReply.parse({ tasks: await claim(strict(claimRequest, input), gone) })
      case 'results': {
        const body = strict(resultsRequest, input)
        const results = settleClaims(body.results, task => {
          const result = body.results.find(({ taskId }) => taskId === task.taskId)
          if (!result) return
          Object.assign(task, { state: 'done', ended: result })
          ended.add(result)
        })
        return resultsReply.parse({ results, tasks: body.claim ? hand(body.claim) : [] })
      }
      case 'renew':
        return claimsReply.parse({ claims: settleClaims(strict(claimsRequest, input).claims, () => {}) })
      case 'release':
        return claimsReply.parse({
          claims: settleClaims(strict(releaseRequest, input).claims, task => Object.assign(task, { state: 'queued' })),
        })
      default:
        throw new Error(`no such path ${path}`)
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace('/api/v1/dispatch/', '') as Message['path']
    const gone = new Promise<void>(resolve => response.once('close', resolve))
    const body: unknown = JSON.parse(await text(request))
    const say = ({ status, body: content, headers = {} }: Answer) => {
      messages.add({ path, body, status })
      response.writeHead(status, headers).end(content)
    }

    const instead = answer?.({ path, body: JSON.stringify(body) })
    if (instead === 'hang') {
      messages.add({ path, body, status: 0 })
      return
    }
    if (instead) return say(instead)
    if (request.headers.authorization !== `Bearer ${agentToken}`)
      return say(refusal(401, 'UNAUTHENTICATED', 'no such token'))
    // A claim is on record when it arrives, since it may be held; all others when they are answered.
    if (path === 'claim') messages.add({ path, body, status: 200 })
    try {
      const content = await reply(path, body, gone)
      if (response.destroyed) return
      const { status, body: text, headers } = ownReply(content)
      if (path === 'claim') response.writeHead(status, headers).end(text)
      else say({ status, body: text, ...(headers && { headers }) })
    } catch (error) {
      violations.push(`${path}: ${(error as Error).message}`)
      say(refusal(400, 'VALIDATION_FAILED', (error as Error).message))
    }
  }

  async function open(): Promise<void> {
    const opened = createServer((request, response) => {
      serve(request, response).catch(error => violations.push(String(error)))
    })
    opened.keepAliveTimeout = 0
    await new Promise<void>(resolve => opened.listen(port, '127.0.0.1', resolve))
    port = (opened.address() as AddressInfo).port
    server = opened
  }

  async function close(): Promise<void> {
    const closing = server
    server = undefined
    if (!closing) return
    await new Promise(resolve => {
      closing.close(resolve)
      closing.closeAllConnections()
    })
  }

  await open()
  return {
    url: `http://127.0.0.1:${port}`,
    messages,
    /** Results that were accepted. */
    ended,
    /** What the agent did that no agent may. */
    violations,
    open,
    close,
    /** How many long polls are held now. */
    heldPolls: () => polls.size,
    /** Answers in place of the server's own, as long as they are not undefined. */
    answerWith(given: typeof answer) {
      answer = given
    },
    add(...news: NewTask[]): number[] {
      const ids = news.map(
        ({ module = 'test', function: name = 'echo', params = {}, leaseMs = 30_000, timeoutMs = 600_000 }) => {
          const taskId = tasks.size + 1
          tasks.set(taskId, {
            ...{ taskId, module, function: name, params, callId: `call-${taskId}`, timeoutMs, leaseMs, attempt: 0 },
            ...{ state: 'queued' as const, claimToken: undefined, ended: undefined },
          })
          return taskId
        },
      )
      for (const wake of [...polls]) wake()
      return ids
    },
    stateOf: (taskId: number) => tasks.get(taskId)?.state,
    /** The lease has run out: the Task is another's. */
    expire(taskId: number) {
      Object.assign(tasks.get(taskId) ?? {}, { claimToken: 'another’s' })
    },
    /** The lease has run out, and the Task is to be handed out again. */
    requeue(taskId: number) {
      Object.assign(tasks.get(taskId) ?? {}, { state: 'queued' })
      for (const wake of [...polls]) wake()
    },
    endOf: (taskId: number) => ended.first(result => result.taskId === taskId),
  }
}

export type FakeServer = Awaited<ReturnType<typeof createFakeServer>>

/** Parses, and refuses what the schema would only drop. */
function strict<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const output = schema.parse(input)
  const sent = JSON.stringify(input)
  if (JSON.stringify(output).length < sent.length) throw new Error(`unknown keys in ${sent}`)
  return output
}
