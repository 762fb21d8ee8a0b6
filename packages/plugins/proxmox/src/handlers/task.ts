import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import { z } from 'zod'
import type { Api } from './api.ts'
import { failureOf } from './failures.ts'

/** From one look at a task to the next, in milliseconds: short ones end soon. */
const firstMs = 100
const mostMs = 2000

export interface TaskWait {
  signal: AbortSignal
  progress?(percent: number, message?: string): void
  /** How long it is waited, in milliseconds; then it is left as it runs. */
  limitMs?: number
}

const status = z.object({ status: z.string(), exitstatus: z.string().optional() })
const log = z.array(z.object({ t: z.string() }))

/** A task's id tells its node: `UPID:pve1:…`. */
function pathOf(upid: string): string {
  const node = upid.split(':')[1] ?? ''
  return `/nodes/${encodeURIComponent(node)}/tasks/${encodeURIComponent(upid)}`
}

/** How a task has ended; undefined where it has not in its time. */
async function awaitEnd(api: Api, what: string, upid: string, wait: TaskWait): Promise<string | undefined> {
  const { signal, progress, limitMs = Number.POSITIVE_INFINITY } = wait
  const begun = performance.now()
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, mostMs)) {
    const { status: state, exitstatus = '' } = await api.get(`${pathOf(upid)}/status`, status)
    if (state === 'stopped') return exitstatus
    if (performance.now() - begun > limitMs) return undefined
    if (progress && waitMs === mostMs) progress(...(await readProgress(api, what, upid)))
    await delay(waitMs, undefined, { signal })
  }
}

/** Waits for a task's end, and throws where that is none: that it was begun says nothing. */
export async function awaitTask(api: Api, what: string, upid: string | null, wait: TaskWait): Promise<void> {
  if (upid === null) return
  const end = await awaitEnd(api, what, upid, wait)
  // One that ends with warnings has done what it was to do.
  if (end === undefined || end === 'OK' || /^WARNINGS: \d+$/.test(end)) return
  throw await failureOfTask(api, what, upid, end)
}

async function failureOfTask(api: Api, what: string, upid: string, end: string): Promise<Error> {
  const lines = await readLog(api, upid)
  const said = lines.slice(-5).filter(line => line && !line.includes(end))
  const words = api.hide([end || 'it does not say why', ...said].join('; '))
  // Its end alone says what it is: a log tells of much that has gone well.
  return failureOf(api.name, `${what} has failed (${words})`, end === 'unexpected status' ? words : end)
}

async function readLog(api: Api, upid: string): Promise<string[]> {
  try {
    return (await api.get(`${pathOf(upid)}/log`, log, { limit: 500 })).map(({ t }) => t.trim())
  } catch (error) {
    // That the log cannot be read is not what has failed.
    if (isContractorError(error, 'DEVICE_UNREACHABLE') || isContractorError(error, 'DEVICE_REFUSED')) return []
    throw error
  }
}

/** Copies say how far they are: `transferred 1.0 GiB of 10.0 GiB (10.00%)`. */
async function readProgress(api: Api, what: string, upid: string): Promise<[number, string]> {
  const last = (await readLog(api, upid)).findLast(line => /\d%/.test(line))
  const percent = Number(/(\d+(\.\d+)?)%/.exec(last ?? '')?.[1] ?? 0)
  return [Math.min(percent, 100), what]
}

const clusterTasks = z.array(
  z.object({ upid: z.string(), type: z.string(), id: z.string().nullish(), endtime: z.coerce.number().optional() }),
)

/**
 * Waits for all machines that a user makes just now. One that is being made says nothing of itself until it is there, and the
 * task of a clone is its template's: which of them an attempt before has begun cannot be seen.
 */
export async function awaitMaking(api: Api, username: string, { signal }: TaskWait): Promise<void> {
  const all = await api.get('/cluster/tasks', clusterTasks)
  // Its user, or a token of that: `UPID:NODE:…:USER!TOKEN:`.
  const isOwn = (upid: string) => upid.split(':')[7]?.split('!')[0] === username
  const making = all.filter(
    one => one.endtime === undefined && ['qmcreate', 'qmclone'].includes(one.type) && isOwn(one.upid),
  )
  for (const one of making) await awaitEnd(api, `task ${one.type} of machine ${one.id}`, one.upid, { signal })
}

/** A machine's state that comes a while after the task that was for it: a cluster's resource manager does that by itself. */
export async function awaitState(
  name: string,
  isReached: () => Promise<boolean>,
  { signal, limitMs, what }: { signal: AbortSignal; limitMs: number; what: string },
): Promise<void> {
  const begun = performance.now()
  for (let waitMs = firstMs; !(await isReached()); waitMs = Math.min(waitMs * 2, mostMs)) {
    if (performance.now() - begun > limitMs)
      throw deviceError('DEVICE_TIMED_OUT', name, `${what}: not so within ${limitMs / 1000} s`)
    await delay(waitMs, undefined, { signal })
  }
}
