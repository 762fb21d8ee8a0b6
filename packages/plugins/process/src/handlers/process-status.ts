import { layoutOf } from '../supervision/layout.ts'
import { readSupervision } from '../supervision/state.ts'
import type { ProcessStatus } from '../tasks.ts'
import { findOwner, refuseOther } from './require-owner.ts'

export async function processStatus({
  directory,
  owner,
}: {
  directory: string
  owner: string
}): Promise<ProcessStatus> {
  const found = findOwner(directory)
  if (found !== undefined) refuseOther(directory, owner, found)
  const { supervisor, state, current, child } = readSupervision(directory)
  return {
    phase: phaseOf(supervisor !== undefined, current, state?.phase),
    running: child !== undefined,
    pid: child?.pid ?? null,
    startId: state?.startId ?? null,
    restarts: state?.restarts ?? 0,
    exitCode: state?.exitCode ?? null,
    signal: state?.signal ?? null,
    output: state?.output ?? '',
    log: layoutOf(directory).log,
  }
}

type Phase = ProcessStatus['phase']

function phaseOf(supervised: boolean, current: boolean, written: Phase | undefined): Phase {
  if (supervised) return current && written ? written : 'starting'
  if (written === undefined) return 'none'
  return written === 'ended' || written === 'failed' ? written : 'lost'
}
