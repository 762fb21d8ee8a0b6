import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import type { HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { getVm } from './find-vm.ts'
import { readObject } from './properties.ts'
import { firstMs, mostMs } from './task.ts'
import { type Ref, refOf, refXml, typed, type Vim } from './vim.ts'
import { at, type Node, numberOf, textOf, type XmlObject } from './xml.ts'

type Wanted = z.output<(typeof tasks)['execute']['params']>
type Asked = Pick<Wanted, 'name' | 'uuid' | 'callId' | 'guest_username' | 'guest_password'>

interface Guest {
  readonly processes: Ref
  readonly login: XmlObject
}

async function openGuest(vim: Vim, { name, uuid, guest_username, guest_password }: Asked): Promise<Guest> {
  const vm = await getVm(vim, { name, uuid })
  const { processManager } = await readObject(vim, vim.root('guestOperationsManager'), ['processManager'])
  const processes = refOf(processManager)
  if (!processes) throw deviceError('DEVICE_UNSUPPORTED', vim.name, 'it runs nothing in guests')
  const auth = typed('NamePasswordAuthentication', {
    ...{ interactiveSession: false, username: guest_username, password: guest_password },
  })
  return { processes, login: { vm: refXml(vm.ref), auth } }
}

/** The guest's shell sees it, and ignores it; whoever lists the guest's processes knows the call by it. */
const markOf = (callId: string) => `: contractor.call=${callId};`

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Those that a call has begun: what has ended the guest's tools remember for some minutes. */
async function findProcess(vim: Vim, { processes, login }: Guest, callId: string): Promise<Node | undefined> {
  const all = await vim.call('ListProcessesInGuest', processes, login)
  return all.find(one => textOf(at(one, 'cmdLine')).includes(markOf(callId)))
}

export async function isExecuted(vim: Vim, asked: Asked): Promise<boolean> {
  return (await findProcess(vim, await openGuest(vim, asked), asked.callId)) !== undefined
}

export async function executeInGuest(vim: Vim, wanted: Wanted, { signal }: Pick<HandlerContext, 'signal'>) {
  const { command, dir, callId, runMs } = wanted
  const guest = await openGuest(vim, wanted)
  const before = await findProcess(vim, guest, callId)
  const pid = before ? textOf(at(before, 'pid')) : await start()
  const begun = performance.now()
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, mostMs)) {
    const [seen] = await vim.call('ListProcessesInGuest', guest.processes, { ...guest.login, pids: pid })
    if (!seen)
      throw deviceError('DEVICE_REFUSED', vim.name, `the guest does not know of process ${pid} any more`, {
        retryable: false,
      })
    if (textOf(at(seen, 'endTime'))) return { rc: numberOf(at(seen, 'exitCode')) || 0 }
    if (performance.now() - begun > runMs) {
      await vim.call('TerminateProcessInGuest', guest.processes, { ...guest.login, pid })
      const words = `'${command}' was ended, since it took longer than ${runMs / 1000} s`
      throw deviceError('DEVICE_TIMED_OUT', vim.name, words, { retryable: false })
    }
    await delay(waitMs, undefined, { signal })
  }

  async function start(): Promise<string> {
    const spec = typed('GuestProgramSpec', {
      programPath: '/bin/sh',
      arguments: `-c ${quote(`${markOf(callId)} ${command}`)}`,
      workingDirectory: dir,
    })
    const [started] = await vim.call('StartProgramInGuest', guest.processes, { ...guest.login, spec })
    return textOf(started)
  }
}
