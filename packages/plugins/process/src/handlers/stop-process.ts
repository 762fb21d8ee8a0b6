import { setTimeout as delay } from 'node:timers/promises'
import { layoutOf } from '../supervision/layout.ts'
import { endGroup } from '../supervision/process-group.ts'
import { replaceFile } from '../supervision/replace-file.ts'
import { readSupervision } from '../supervision/state.ts'
import { findOwner, refuseOther } from './require-owner.ts'

interface Params {
  directory: string
  owner: string
  timeoutMs: number
}

const lookAgainMs = 20
/** What a supervisor may take beyond the timeout before it counts as stuck. */
const marginMs = 5000

/** Returns when neither the process nor its supervisor is alive. An agent that dies meanwhile changes nothing. */
export async function stopProcess(params: Params, { signal }: { signal: AbortSignal }): Promise<{ stopped: boolean }> {
  const { directory, owner, timeoutMs } = params
  const found = findOwner(directory)
  if (found === undefined) return { stopped: false }
  refuseOther(directory, owner, found)

  const { supervisor, child } = readSupervision(directory)
  if (!supervisor && !child) return { stopped: false }
  if (supervisor) await endSupervisor(params, signal)
  // Left over from a supervisor that was killed, now or earlier.
  const left = readSupervision(directory).child
  if (left) await endGroup(left.pid, () => timeoutMs, signal)
  return { stopped: true }
}

async function endSupervisor({ directory, timeoutMs }: Params, signal: AbortSignal): Promise<void> {
  const { stopOrder, folder } = layoutOf(directory)
  replaceFile(stopOrder, JSON.stringify({ timeoutMs }), folder)
  const begun = performance.now()
  for (let asked = 0; ; ) {
    const { supervisor } = readSupervision(directory)
    if (!supervisor) return
    if (supervisor.pid !== asked) terminate(supervisor.pid, 'SIGTERM')
    asked = supervisor.pid
    if (performance.now() - begun > timeoutMs + marginMs) terminate(supervisor.pid, 'SIGKILL')
    await delay(lookAgainMs, undefined, { signal })
  }
}

function terminate(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
