import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type Docker from 'dockerode'
import type { Daemon } from './daemon.ts'
import { findOwn, getOwn, portsOf } from './find-container.ts'
import { readLogs } from './read-output.ts'

/** Docker waits for the grace period itself; what it takes besides, in milliseconds. */
const besidesMs = 60_000

export async function startContainer(
  daemon: Daemon,
  name: string,
  settleMs: number,
  signal: AbortSignal,
): Promise<{ started: boolean }> {
  const before = await getOwn(daemon, name)
  if (before.State.Running) return { started: false }
  try {
    await daemon.ask(abortSignal => daemon.api.getContainer(before.Id).start({ abortSignal }))
  } catch (error) {
    // 304: somebody was quicker.
    if (!isUnchanged(error)) throw error
  }
  await delay(settleMs, undefined, { signal })
  await checkRunning(daemon, name)
  return { started: true }
}

/** A start may be good, and yet the container has ended since, or lacks a port. */
async function checkRunning(daemon: Daemon, name: string): Promise<void> {
  const found = await getOwn(daemon, name)
  const { State: state, RestartCount: restarts } = found as Docker.ContainerInspectInfo & { RestartCount: number }
  if (!state.Running || state.Restarting || restarts > 0) {
    const said = (await readLogs(daemon, name, 20)).trim().slice(-1000)
    const how = state.Error || `it has ended with ${state.ExitCode}${state.OOMKilled ? ', for want of memory' : ''}`
    throw deviceError(
      'DEVICE_REFUSED',
      daemon.name,
      `container '${name}' does not run: ${how}${said && `, and wrote: ${said}`}`,
    )
  }
  const open = (found.NetworkSettings.Ports ?? {}) as Record<string, { HostPort?: string }[] | null>
  for (const [port, host] of Object.entries(portsOf(found)))
    if (!open[port]?.some(one => Number(one.HostPort) === host))
      throw deviceError('DEVICE_REFUSED', daemon.name, `container '${name}' runs without its port ${host} for ${port}`)
}

export async function stopContainer(daemon: Daemon, name: string, graceMs: number): Promise<{ stopped: boolean }> {
  const before = await getOwn(daemon, name)
  if (!before.State.Running && !before.State.Restarting) return { stopped: false }
  try {
    const seconds = Math.ceil(graceMs / 1000)
    await daemon.ask(
      abortSignal => daemon.api.getContainer(before.Id).stop({ t: seconds, abortSignal }),
      graceMs + besidesMs,
    )
  } catch (error) {
    if (!isUnchanged(error)) throw error
  }
  const after = await getOwn(daemon, name)
  if (after.State.Running)
    throw deviceError('DEVICE_TIMED_OUT', daemon.name, `container '${name}' was told to stop, and runs`)
  return { stopped: true }
}

export async function destroyContainer(daemon: Daemon, name: string): Promise<{ destroyed: boolean }> {
  const found = await findOwn(daemon, name)
  if (!found) return { destroyed: false }
  try {
    await daemon.ask(
      abortSignal => daemon.api.getContainer(found.Id).remove({ force: true, v: true, abortSignal }),
      240_000,
    )
  } catch (error) {
    // Somebody else has begun to remove it: then it is looked at until it is gone.
    if (!isContractorError(error, 'NOT_FOUND') && !isContractorError(error, 'ALREADY_EXISTS')) throw error
  }
  if (!(await findOwn(daemon, name))) return { destroyed: true }
  throw deviceError('DEVICE_BUSY', daemon.name, `container '${name}' is being removed`)
}

const isUnchanged = (error: unknown): boolean =>
  error instanceof Error && /\b304\b|not modified|already (started|stopped)/i.test(error.message)
