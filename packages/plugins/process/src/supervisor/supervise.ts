import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { layoutOf } from '../supervision/layout.ts'
import { claimFolder } from '../supervision/pid-file.ts'
import { endGroup, signalGroup } from '../supervision/process-group.ts'
import { identifyProcess, isAlive } from '../supervision/process-identity.ts'
import { replaceFile } from '../supervision/replace-file.ts'
import type { SupervisorState } from '../supervision/state.ts'
import { type Ending, type Launched, launch } from './launch.ts'

/** What a supervisor is told, on its standard input: an environment may hold secrets, and a command line is public. */
export interface SupervisorOrder {
  readonly directory: string
  readonly startId: string
  readonly fingerprint: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** A process that ends within this time after its first start has failed to start, and is not started again. */
const earlyDeathMs = 300
/** A process that ran for this long is started again without the delays of the restarts before. */
const steadyMs = 60_000
const restartDelayMs = (restarts: number) => Math.min(250 * 2 ** restarts, 10_000)
const defaultStopTimeoutMs = 10_000

/**
 * Runs the command until `stopAsked`. Calls `settled` once it is known whether the process has started; what came of it
 * is in the state file. Returns without doing anything when another supervisor holds the directory.
 */
export async function supervise(order: SupervisorOrder, stopAsked: Promise<void>, settled: () => void): Promise<void> {
  const paths = layoutOf(order.directory)
  if (!claimFolder(paths.folder).held) return
  const supervisor = identifyProcess(process.pid)
  if (!supervisor) throw new Error('This process cannot find itself in the process table')

  const earlier = lastState(paths.state)
  // A supervisor that was slow to come up, of a start that another one has carried out and that is over since.
  if (earlier?.startId === order.startId && (earlier.phase === 'ended' || earlier.phase === 'failed')) return
  // The process of a supervisor that was killed cannot be adopted, since only a parent learns of an end: it is ended.
  const left = earlier?.child && isAlive(earlier.child) ? earlier.child : undefined
  let state: SupervisorState = {
    supervisor,
    startId: order.startId,
    fingerprint: order.fingerprint,
    phase: 'starting',
    child: left ?? null,
    restarts: 0,
    exitCode: null,
    signal: null,
    output: '',
  }
  const record = (change: Partial<SupervisorState>) => {
    state = { ...state, ...change }
    replaceFile(paths.state, JSON.stringify(state), paths.folder, 0o600)
  }

  rmSync(paths.stopOrder, { force: true })
  record({})
  if (left) await endGroup(left.pid, () => defaultStopTimeoutMs)

  let stopping = false
  const stop = stopAsked.then(() => {
    stopping = true
  })
  let quickEnds = 0
  while (!stopping) {
    const begun = performance.now()
    const run = launch(order.command, {
      directory: order.directory,
      environment: { ...process.env, ...order.environment },
      log: paths.log,
    })
    const first = state.phase === 'starting'
    try {
      const child = run.pid === undefined ? undefined : identifyProcess(run.pid)
      record({ child: child ?? null, phase: first ? 'starting' : 'running' })
      if (first) {
        const early = await firstOf(run.ended, stop, delay(earlyDeathMs))
        if (early) {
          record({ phase: 'failed', child: null, ...early })
          return
        }
        if (!stopping) {
          record({ phase: 'running' })
          settled()
        }
      }
      const ending = await firstOf(run.ended, stop)
      if (ending) {
        quickEnds = performance.now() - begun >= steadyMs ? 0 : quickEnds + 1
        record({ phase: 'backoff', child: null, restarts: state.restarts + 1, ...ending })
      } else {
        record({ phase: 'stopping' })
        const last = await endProcess(run, () => stopTimeout(paths.stopOrder))
        record({ child: null, ...last })
      }
    } finally {
      // Whatever ended it: nothing of this process's group may be alive beside the next one.
      if (run.pid !== undefined) signalGroup(run.pid, 'SIGKILL')
    }
    if (!stopping) await firstOf(stop, delay(restartDelayMs(quickEnds - 1)))
  }
  record({ phase: 'ended', child: null })
}

/** The ending if that comes first, nothing if anything else does. */
function firstOf<T>(first: Promise<T>, ...others: Promise<unknown>[]): Promise<T | undefined> {
  return Promise.race([first, ...others.map(other => other.then(() => undefined))])
}

async function endProcess({ pid, ended }: Launched, timeoutMs: () => number): Promise<Ending> {
  if (pid !== undefined) await endGroup(pid, timeoutMs)
  return ended
}

function stopTimeout(file: string): number {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { timeoutMs: number }).timeoutMs
  } catch {
    return defaultStopTimeoutMs
  }
}

function lastState(file: string): SupervisorState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SupervisorState
  } catch {
    return undefined
  }
}
