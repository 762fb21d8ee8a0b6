import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Signals a process group. False when there is none any more; one that has become another user's is there. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH' || code === 'EPERM') return code === 'EPERM'
    throw error
  }
}

/** SIGTERM to all of the group; SIGKILL to what is left of it after the timeout, which may change meanwhile. */
export async function endGroup(leader: number, timeoutMs: () => number, signal?: AbortSignal): Promise<void> {
  const begun = performance.now()
  if (!signalGroup(leader, 'SIGTERM')) return
  for (let pauseMs = 10; hasLiving(leader); pauseMs = Math.min(pauseMs * 1.5, 200)) {
    const left = timeoutMs() - (performance.now() - begun)
    if (left <= 0) {
      signalGroup(leader, 'SIGKILL')
      return
    }
    await delay(Math.min(pauseMs, left), undefined, { signal })
  }
}

/** Zombies take signals too, and may wait long for an init that reaps them: they are told apart by proc(5). */
function hasLiving(leader: number): boolean {
  if (!signalGroup(leader, 0)) return false
  if (process.platform !== 'linux') return true
  return readdirSync('/proc').some(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(group) === leader && state !== 'Z' && state !== 'X'
    } catch {
      return false
    }
  })
}
