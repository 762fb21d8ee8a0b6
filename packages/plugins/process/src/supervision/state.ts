import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { phase } from '../tasks.ts'
import { layoutOf } from './layout.ts'
import { findHolder } from './pid-file.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'

const processIdentity = z.object({ pid: z.number().int(), startedAt: z.string() })

/** What a supervisor writes down whenever it changes. Private to the owner: the fingerprint is made from an environment. */
export const supervisorState = z.object({
  /** Who wrote it. Whatever a dead supervisor wrote of itself is history. */
  supervisor: processIdentity,
  startId: z.string(),
  /** Of command and environment: whether another start asks for the same. */
  fingerprint: z.string(),
  phase,
  /** The process, and the leader of its group. Kept after its end until the group is known to be empty. */
  child: processIdentity.nullable(),
  restarts: z.number().int(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  output: z.string(),
})
export type SupervisorState = z.output<typeof supervisorState>

export interface Supervision {
  /** The living supervisor. */
  supervisor: ProcessIdentity | undefined
  /** What was written last, by the living supervisor or by an earlier one. */
  state: SupervisorState | undefined
  /** Whether `state` is the living supervisor's: between its birth and its first record it is not. */
  current: boolean
  /** The process, while it lives: under its supervisor, or left over from one that was killed. */
  child: ProcessIdentity | undefined
}

/** What is true of a directory at this moment. */
export function readSupervision(directory: string): Supervision {
  const { folder, state: file } = layoutOf(directory)
  const supervisor = findHolder(folder)
  const state = readState(file)
  const current =
    supervisor !== undefined &&
    state?.supervisor.pid === supervisor.pid &&
    state.supervisor.startedAt === supervisor.startedAt
  const child = state?.child && isAlive(state.child) ? state.child : undefined
  return { supervisor, state, current, child }
}

function readState(file: string): SupervisorState | undefined {
  try {
    return supervisorState.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    // Empty after a crash of the machine, or of an older version: nothing of it can still be true.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}
