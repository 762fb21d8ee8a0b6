import { deviceError } from '@contractor/driver'
import type { HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { refused, said, shell, withMachine } from './machine.ts'

type Wanted = z.output<(typeof tasks)['run']['params']>
type Look = z.output<(typeof tasks)['look']['params']>

/** Of an output, what a script gets, in characters: its end. */
const mostInAnswer = 64_000

export function run(wanted: Wanted, { signal }: HandlerContext): Promise<{ output: string }> {
  return withMachine(wanted, signal, async machine => {
    const ended = await machine.run(shell(wanted.command, wanted.user))
    if (ended.rc !== 0) throw refused(machine.name, `'${wanted.command.split('\n')[0]?.slice(0, 80)}'`, ended)
    return { output: ended.stdout.slice(-mostInAnswer) }
  })
}

export function probe(wanted: Wanted, { signal }: HandlerContext): Promise<{ good: boolean; output: string }> {
  return withMachine(wanted, signal, async machine => {
    const ended = await machine.run(shell(wanted.command, wanted.user))
    const good = ended.rc === 0
    return { good, output: good ? ended.stdout.slice(-mostInAnswer) : said(ended) }
  })
}

export function look(login: Look, { signal }: HandlerContext): Promise<z.input<(typeof tasks)['look']['result']>> {
  return withMachine({ ...login, timeoutMs: 60_000 }, signal, async machine => {
    const text = await machine.must(
      `. /etc/os-release
echo "$ID|$ID_LIKE|$VERSION_ID|$([ -d /run/systemd/system ] && echo systemd || echo sysvinit)|$(command -v apt-get)|\${SUDO_USER:-$(id -un)}"`,
      'it does not say what system it is',
    )
    const [id = '', like = '', version = '', init = '', apt = '', user = ''] = text.trim().split('|')
    if (apt === '' || ![id, ...like.split(' ')].includes('debian'))
      throw deviceError('DEVICE_UNSUPPORTED', machine.name, `it runs ${id || 'an unknown system'}, and no Debian`)
    return { system: id, version, init: init === 'systemd' ? 'systemd' : 'sysvinit', user }
  })
}
