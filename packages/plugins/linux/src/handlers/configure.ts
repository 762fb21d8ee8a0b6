import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { changeTo, forget, lookAtFiles, putBack, settle, write } from './kept-files.ts'
import { type Machine, refused, shell, withMachine } from './machine.ts'
import { begin, findService, forgetService, isUp, type Service, stop } from './services.ts'

type Wanted = z.output<(typeof tasks)['configure']['params']>
type Reply = z.input<(typeof tasks)['configure']['result']>
type Unwanted = z.output<(typeof tasks)['unconfigure']['params']>

/** A running service keeps what it has until all of the new files are there and have passed the check. */
export function configure(wanted: Wanted, { signal, progress }: HandlerContext): Promise<Reply> {
  const { name, files, check, reload } = wanted
  return withMachine(wanted, signal, async machine => {
    const seen = await lookUnbroken(
      machine,
      name,
      files.map(one => one.path),
    )
    const before = seen.manifest?.service ?? null
    const isNew = seen.manifest === undefined
    const service = wanted.service === null ? undefined : await findService(machine, wanted.service, wanted.log)
    // Both may want one port: the other one ends first.
    const other = before === null || before === wanted.service ? undefined : await findService(machine, before, null)
    const wasUp = service !== undefined && (await isUp(machine, service))
    const change = changeTo(files, wanted.service, seen)
    const isSame = !change.written.length && !change.gone.length
    if (isSame && !isNew && !other && (!service || wasUp)) return { changed: false, isNew }
    progress(20, `Writing ${change.written.length} files`)
    let touched: Service | undefined
    try {
      if (!isSame) await write(machine, name, change, seen.manifest)
      if (check !== null) await runCheck(machine, check)
      touched = other ?? (wasUp ? service : undefined)
      if (other) await stop(machine, other)
      if (service) await begin(machine, service, !wasUp ? 'start' : reload ? 'reload' : 'restart')
    } catch (error) {
      throw await takeBack(machine, name, error, touched)
    }
    await settle(machine, name, change)
    return { changed: true, isNew }
  })
}

/** What one before has been cut off from is put back first. */
async function lookUnbroken(machine: Machine, name: string, paths: readonly string[]) {
  const seen = await lookAtFiles(machine, name, paths)
  if (!seen.isInterrupted) return seen
  await putBack(machine, name)
  return lookAtFiles(machine, name, paths)
}

async function runCheck(machine: Machine, command: string): Promise<void> {
  // Some write the place of a mistake to the one output, and what it is to the other.
  const ended = await machine.run(`exec 2>&1\n${shell(command)}`)
  if (ended.rc !== 0) throw refused(machine.name, `'${command.split('\n')[0]}' refuses the new files`, ended)
}

/**
 * The files are as they were, and the service that has been touched runs with them again; the failure says so. Where nobody
 * knows what became of it, whoever comes next does that.
 */
async function takeBack(machine: Machine, name: string, error: unknown, touched?: Service): Promise<unknown> {
  if (!isContractorError(error) || error.retryable) return error
  const failed = (words: string) =>
    new ContractorError(error.code, `${error.message}. What was there before ${words}`, error.data, { cause: error })
  try {
    await putBack(machine, name)
    if (!touched) return failed('is there again')
    await begin(machine, touched, (await isUp(machine, touched)) ? 'reload' : 'restart')
    return failed(`is there again, and '${touched.name}' runs with it`)
  } catch (second) {
    return failed(`could not be put back: ${second instanceof Error ? second.message : String(second)}`)
  }
}

export function unconfigure(
  { name, isNew, ...login }: Unwanted,
  { signal }: HandlerContext,
): Promise<{ changed: boolean }> {
  return withMachine(login, signal, async machine => {
    const seen = isNew ? await lookUnbroken(machine, name, []) : undefined
    if (!seen?.manifest) return { changed: false }
    const service = seen.manifest.service === null ? undefined : await findService(machine, seen.manifest.service, null)
    if (service) await stop(machine, service)
    await forget(machine, name, seen.manifest)
    if (service) await forgetService(machine, service)
    return { changed: true }
  })
}
