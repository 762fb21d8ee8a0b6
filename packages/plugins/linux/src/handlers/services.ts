import { deviceError } from '@contractor/driver'
import type { HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { type Machine, quote, refused, withMachine } from './machine.ts'

type Wanted = z.output<(typeof tasks)['service']['params']>
type Reply = z.input<(typeof tasks)['service']['result']>

/** A service of a machine, spoken to by what that machine has: systemd, or init scripts. */
export interface Service {
  readonly name: string
  readonly hasSystemd: boolean
  /** Where it writes what is wrong. */
  readonly log: string | null
}

export const systemdRuns = '[ -d /run/systemd/system ]'

export async function findService(machine: Machine, name: string, log: string | null): Promise<Service> {
  return { name, log, hasSystemd: (await machine.run(systemdRuns)).rc === 0 }
}

const looks = ({ name, hasSystemd }: Service) =>
  hasSystemd ? `systemctl is-active --quiet ${quote(name)}` : `service ${quote(name)} status >/dev/null 2>&1`

export const isUp = async (machine: Machine, service: Service) => (await machine.run(looks(service))).rc === 0

/** With the machine's next start it is to begin as well. */
const enabling = ({ name, hasSystemd }: Service) =>
  hasSystemd
    ? `systemctl enable --quiet ${quote(name)} || true`
    : `{ update-rc.d ${quote(name)} defaults && update-rc.d ${quote(name)} enable; } >/dev/null 2>&1 || true`

const doing = ({ name, hasSystemd }: Service, what: 'start' | 'restart' | 'reload') => {
  const unit = quote(name)
  if (hasSystemd) return `systemctl ${what === 'reload' ? 'reload-or-restart' : what} ${unit}`
  return what === 'reload' ? `service ${unit} reload || service ${unit} restart` : `service ${unit} ${what}`
}

/**
 * Starts it, begins it anew, or has it read its files anew; and sees after a second that it runs (the quirk
 * `starts-and-ends`). Its output goes by way of a file (`service-holds-the-channel`).
 */
export async function begin(machine: Machine, service: Service, what: 'start' | 'restart' | 'reload'): Promise<void> {
  const { name, hasSystemd, log } = service
  const words = [
    hasSystemd ? `journalctl -u ${quote(name)} -n 15 -o cat --no-pager 2>/dev/null` : '',
    log === null ? '' : `tail -n 15 ${quote(log)} 2>/dev/null`,
  ]
  const ended = await machine.run(`
${hasSystemd ? 'systemctl daemon-reload' : ''}
${enabling(service)}
out=$(mktemp)
if { ${doing(service, what)}; } >"$out" 2>&1; then rc=0; else rc=$?; fi
sleep 1
if [ $rc = 0 ] && ${looks(service)}; then rm -f "$out"; exit 0; fi
{ cat "$out"; ${words.filter(Boolean).join('; ') || ':'}; } >&2
rm -f "$out"
exit 1`)
  if (ended.rc !== 0) throw refused(machine.name, `'${name}' does not run after its ${what}`, ended)
}

/** Stops it, for now and for the machine's next start. What is no service any more is stopped. */
export async function stop(machine: Machine, service: Service): Promise<void> {
  const unit = quote(service.name)
  const stopping = service.hasSystemd
    ? `systemctl disable --quiet ${unit} 2>/dev/null; systemctl stop ${unit}`
    : `update-rc.d ${unit} disable >/dev/null 2>&1; service ${unit} stop`
  const ended = await machine.run(stopping)
  if (await isUp(machine, service)) throw refused(machine.name, `'${service.name}' cannot be stopped`, ended)
}

/** Where its own file is gone, nothing is left of it. */
export async function forgetService(machine: Machine, { name, hasSystemd }: Service): Promise<void> {
  await machine.run(hasSystemd ? 'systemctl daemon-reload' : `update-rc.d ${quote(name)} remove >/dev/null 2>&1`)
}

export function service({ service: name, state, log, ...login }: Wanted, { signal }: HandlerContext): Promise<Reply> {
  return withMachine(login, signal, async machine => {
    const service = await findService(machine, name, log)
    const up = await isUp(machine, service)
    if (state === 'stopped') {
      if (up) await stop(machine, service)
      return { changed: up }
    }
    if (state === 'reloaded' && !up)
      throw deviceError('DEVICE_REFUSED', machine.name, `'${name}' does not run: it can be started, and not reloaded`)
    if (state === 'started' && up) return { changed: false }
    await begin(machine, service, !up ? 'start' : state === 'reloaded' ? 'reload' : 'restart')
    return { changed: true }
  })
}
