import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { taskFailed } from '@contractor/plugin'
import { readSupervision, type SupervisorState } from '../supervision/state.ts'
import { requireOwner } from './require-owner.ts'
import { spawnSupervisor } from './spawn-supervisor.ts'

interface Params {
  directory: string
  owner: string
  startId: string
  command: string[]
  environment: Record<string, string>
  port: number | null
}

/** How long a start may take in all before the agent stops looking; the supervisor goes on. */
const startLimitMs = 60_000
const lookAgainMs = 25

/**
 * Starts the process, or finds it. Every step is decided by what the directory says now, and the singleton is kept by
 * the supervisors among themselves, so an agent may die between any two lines of this and repeat the call.
 */
export async function startProcess(params: Params, { signal }: { signal: AbortSignal }): Promise<{ pid: number }> {
  requireOwner(params)
  const { directory, owner, startId } = params
  const deadline = performance.now() + startLimitMs
  while (performance.now() < deadline) {
    const { supervisor, state, current, child } = readSupervision(directory)
    if (supervisor) {
      const pid = current && state ? judgeRunning(params, state) : undefined
      if (pid !== undefined) return { pid }
      await delay(lookAgainMs, undefined, { signal })
      continue
    }
    if (state?.startId === startId) refuseEnded(state, owner)
    // A process that was left over holds the port itself; the new supervisor ends it first.
    if (params.port !== null && !child) await requireFreePort(params.port, owner)
    const order = { ...params, fingerprint: fingerprintOf(params, startId) }
    await spawnSupervisor(order, owner, signal)
  }
  throw taskFailed(`The process of Foundation '${owner}' did not come up within ${startLimitMs / 1000} s`, {
    retryable: true,
  })
}

/** The pid, nothing while that is not known yet, or a refusal: another process is running here. */
function judgeRunning(params: Params, state: SupervisorState): number | undefined {
  if (state.startId !== params.startId && state.fingerprint !== fingerprintOf(params, state.startId)) {
    throw taskFailed(
      `Foundation '${params.owner}' already runs another command (pid ${state.child?.pid ?? 'none at this moment'}): call foundation.stop() first`,
    )
  }
  if (state.phase === 'running' && state.child) return state.child.pid
  return undefined
}

/** This very start has happened, and is over: it does not happen again. */
function refuseEnded(state: SupervisorState, owner: string): void {
  const how = state.signal === null ? `exit code ${state.exitCode ?? 'unknown'}` : `signal ${state.signal}`
  if (state.phase === 'failed') {
    const said = state.output ? `: ${state.output}` : ', without a word'
    const what = state.exitCode === null && state.signal === null ? 'could not be started' : `ended at once with ${how}`
    throw taskFailed(`The process of Foundation '${owner}' ${what}${said}`)
  }
  if (state.phase === 'ended') throw taskFailed(`The process of Foundation '${owner}' was started, and stopped since`)
}

/** Salted with the start's id, so that it tells nothing of an environment that may hold secrets. */
function fingerprintOf({ command, environment }: Params, salt: string): string {
  const sorted = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([salt, command, sorted]))
    .digest('hex')
}

/** A port that cannot be bound for another reason (it is below 1024, say) is left to the process to complain about. */
async function requireFreePort(port: number, owner: string): Promise<void> {
  const server = createServer()
  const code = await new Promise<string | undefined>(resolve => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(undefined)))
  })
  if (code === 'EADDRINUSE') {
    throw taskFailed(
      `Port ${port} on 127.0.0.1, which the process of Foundation '${owner}' needs, is taken by another process: end that one, or configure another port`,
    )
  }
}
