import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ContractorError, isContractorError } from '@contractor/plugin'
import type { Log } from '@contractor/plugin/agent'
import { lockDirectory } from '@contractor/plugin/directory-lock'
import { type TaskClaim, taskClaim, taskResult } from '@contractor/plugin/wire'
import { z } from 'zod'

/**
 * What an agent would forget if it was killed: which Tasks it has begun, and the answers that the server does not have
 * yet. One file a claim; a file is written under another name, and then takes the place of the one before. So a kill at
 * any moment leaves each record as it was or as it is to be. The journal is for one process at a time.
 *
 * A record that cannot be written is logged, and the work goes on: a full disk costs no more than no journal.
 */
export interface Journal {
  /**
   * Takes the journal and reads what an earlier process left. Throws IN_USE when another process has it, and
   * VALIDATION_FAILED when the directory cannot be used.
   */
  open(): Promise<JournalRecord[]>
  /** To be awaited before the handler is run. */
  begun(claim: TaskClaim): Promise<void>
  /** To be awaited before the answer is sent. On disk, and not only in the system's memory, when it resolves. */
  finished(answer: TaskAnswer): Promise<void>
  /** The claim is settled, or another's: nothing is to be remembered of it. */
  remove(claim: TaskClaim): void
  /** Gives the journal back once all that was begun is written. What is told to it later is not kept. */
  close(): Promise<void>
}

const journalRecord = z.union([z.strictObject({ begun: taskClaim }), z.strictObject({ finished: taskResult })])
export type JournalRecord = z.output<typeof journalRecord>
type TaskAnswer = z.output<typeof taskResult>

/** Those of others in the same directory are left alone. */
const recordName = /^\d+-[0-9a-f]{32}\.json$/
const unfinishedName = /^\d+-[0-9a-f]{32}\.json\.new$/

function inUse(directory: string, by: string): ContractorError<'IN_USE'> {
  const message = `The journal ${directory} is in use by ${by}: each agent needs a journal of its own`
  return new ContractorError('IN_USE', message, { kind: 'journal', id: directory, by: [by] })
}

export function createJournal(directory: string, { log }: { log: Log }): Journal {
  /** The last step of each file that is being written: steps of one file do not overtake each other. */
  const writing = new Map<string, Promise<void>>()
  let opening: Promise<unknown> = Promise.resolve()
  let unlock = async () => {}
  let isClosed = false

  async function take(): Promise<JournalRecord[]> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const lock = await lockDirectory(directory, holder => inUse(directory, holder))
      unlock = lock.release
      // It may be a directory of the operator's own, whose mode is not for the agent to change.
      if (process.platform !== 'win32' && ((await stat(directory)).mode & 0o077) !== 0)
        log('warn', 'others may look into the journal’s directory, mode 0700 is right for it', { directory })
      return await readRecords()
    } catch (error) {
      if (isContractorError(error)) throw error
      const message = `The journal ${directory} cannot be used: ${(error as Error).message}`
      const issues = [{ path: 'journal', message }]
      throw new ContractorError('VALIDATION_FAILED', message, { issues }, { cause: error })
    }
  }

  async function readRecords(): Promise<JournalRecord[]> {
    const records: JournalRecord[] = []
    for (const name of (await readdir(directory)).sort()) {
      const file = join(directory, name)
      if (unfinishedName.test(name)) await rm(file, { force: true })
      if (!recordName.test(name)) continue
      try {
        records.push(journalRecord.parse(JSON.parse(await readFile(file, 'utf8'))))
      } catch (error) {
        await putAside(file, error)
      }
    }
    return records
  }

  async function putAside(file: string, error: unknown): Promise<void> {
    log('error', 'a record of the journal cannot be read and is put aside', {
      file: `${file}.unreadable`,
      reason: (error as Error).message,
    })
    await rename(file, `${file}.unreadable`).catch((reason: Error) =>
      log('warn', 'the record stays where it is', { file, reason: reason.message }),
    )
  }

  function inTurn({ taskId, claimToken }: TaskClaim, what: string, step: (file: string) => Promise<void>) {
    if (isClosed) return Promise.resolve()
    // A token may hold characters that no file name can.
    const digest = createHash('sha256').update(claimToken).digest('hex').slice(0, 32)
    const file = join(directory, `${taskId}-${digest}.json`)
    const turn = (writing.get(file) ?? Promise.resolve())
      .then(() => step(file))
      .catch((error: Error) => log('error', `the journal cannot ${what}`, { task: taskId, reason: error.message }))
      .then(() => {
        if (writing.get(file) === turn) writing.delete(file)
      })
    writing.set(file, turn)
    return turn
  }

  return {
    open() {
      const records = take()
      opening = records.catch(() => {})
      return records
    },
    begun: claim => {
      const { taskId, claimToken } = claim
      const record = { begun: { taskId, claimToken } }
      return inTurn(claim, 'keep that a task was begun', file => write(file, record, { flush: false }))
    },
    finished: answer =>
      inTurn(answer, 'keep an answer, which is sent all the same', file =>
        write(file, { finished: answer }, { flush: true }),
      ),
    remove: claim => void inTurn(claim, 'forget a task', file => rm(file, { force: true })),
    async close() {
      isClosed = true
      await opening
      await Promise.all(writing.values())
      await unlock().catch((error: Error) =>
        log('warn', 'the journal cannot be given back', { directory, reason: error.message }),
      )
      unlock = async () => {}
    },
  }
}

async function write(file: string, record: JournalRecord, { flush }: { flush: boolean }): Promise<void> {
  const unfinished = `${file}.new`
  try {
    // Answers may hold secrets.
    const handle = await open(unfinished, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify(record))
      if (flush) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {})
    throw error
  }
}
