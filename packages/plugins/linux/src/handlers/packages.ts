import { deviceError } from '@contractor/driver'
import type { SshResult } from '@contractor/driver/ssh'
import { ContractorError, type HandlerContext, taskFailed } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { type Machine, quote, refused, said, withMachine } from './machine.ts'

type Wanted = z.output<(typeof tasks)['install']['params']>
type Reply = z.input<(typeof tasks)['install']['result']>

/** Files that somebody has changed stay as they are; apt waits for another one's lock, in seconds. */
const options = '-y -q --no-install-recommends -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120'

export function install(wanted: Wanted, { signal, progress }: HandlerContext): Promise<Reply> {
  return withMachine(wanted, signal, async machine => {
    const missing = await findMissing(machine, wanted.package_list)
    if (!missing.length) return { installed: [] }
    progress(10, `Reading what there is to install`)
    await machine.must('dpkg --configure -a', 'dpkg cannot go on with what it was at')
    const update = await machine.run('apt-get update -q -o Acquire::Retries=1')
    refuseLocked(machine.name, update)
    progress(30, `Installing ${missing.join(', ')}`)
    const ended = await machine.run(`apt-get install ${options} -- ${missing.map(quote).join(' ')}`)
    if (ended.rc !== 0) throw failure(machine.name, ended, update)
    const left = await findMissing(machine, missing)
    return { installed: missing.filter(name => !left.includes(name)) }
  })
}

async function findMissing(machine: Machine, names: readonly string[]): Promise<string[]> {
  if (!names.length) return []
  // It ends with 1 where one of them is unknown, and tells of the others all the same.
  const query = `dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' -- ${names.map(quote).join(' ')} 2>/dev/null`
  const { stdout } = await machine.run(query)
  const there = new Set(stdout.split('\n').flatMap(line => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])))
  return names.filter(name => !there.has(name))
}

function refuseLocked(name: string, ended: SshResult): void {
  if (ended.rc !== 0 && /Could not get lock|is another process using it/.test(ended.stderr))
    throw deviceError('DEVICE_BUSY', name, `another process is installing (${said(ended)})`)
}

/** What apt-get has said, and what it said before that when it fetched its indexes. */
function failure(name: string, ended: SshResult, update: SshResult): Error {
  refuseLocked(name, ended)
  const warned = update.stderr.trim() && `. Before that, apt-get update: ${update.stderr.trim().slice(-1000)}`
  const unknown = /Unable to locate package (\S+)|Package '?([^' ]+)'? has no installation candidate/.exec(ended.stderr)
  if (unknown) {
    const id = unknown[1] ?? unknown[2] ?? ''
    return new ContractorError('NOT_FOUND', `${name}: its sources have no package '${id}'${warned}`, {
      ...{ kind: 'package', id },
    })
  }
  if (/Failed to fetch|Unable to fetch|Temporary failure resolving/.test(ended.stderr))
    return taskFailed(`${name}: a package cannot be fetched: ${said(ended)}`, { retryable: true })
  return refused(name, 'apt-get install', ended, warned)
}
