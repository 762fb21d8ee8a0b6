import { deviceError } from '@contractor/driver'
import { runCommand, runShell, withSsh } from '@contractor/driver/ssh'
import type { HandlerContext } from '@contractor/plugin'
import type { Terminal } from '../connection.ts'
import { models, type SwitchModel } from '../models.ts'

/** How long a command may take, in milliseconds. */
const commandMs = 120_000
const configureMs = 540_000
/** Of a configuration, what a script gets of it, in characters; all of it is an attachment then. */
const mostInAnswer = 64_000

const modelOf = ({ model }: Terminal): SwitchModel => models.find(one => one.name === model) as SwitchModel
const nameOf = ({ host }: Terminal): string => `switch ${host}`

/** The lines that it has refused, as it says so. */
const refusedIn = ({ refuses }: SwitchModel, text: string): string[] =>
  text.split(/\r?\n/).filter(line => refuses.test(line))

export async function readConfiguration(terminal: Terminal, { signal, attach }: HandlerContext) {
  const model = modelOf(terminal)
  const { rc, stdout, stderr } = await withSsh(terminal, { signal, timeoutMs: commandMs }, (client, limit) =>
    runCommand(client, { command: model.show }, limit),
  )
  const text = stdout.replaceAll('\r\n', '\n')
  const [refused] = refusedIn(model, `${stdout}\n${stderr}`)
  if ((rc !== null && rc !== 0) || refused !== undefined) {
    const words = `it refuses '${model.show}' (${refused ?? (stderr.trim() || `exit code ${rc}`)})`
    throw deviceError('DEVICE_REFUSED', nameOf(terminal), words)
  }
  if (text.length <= mostInAnswer) return { text, all: null }
  return { text: text.slice(0, mostInAnswer), all: await attach('configuration.txt', text) }
}

/** Lines are typed first, and saved once all of them were taken. */
export async function configure(
  { lines, save, ...terminal }: Terminal & { lines: string[]; save: boolean },
  { signal }: Pick<HandlerContext, 'signal'>,
): Promise<{ output: string }> {
  const model = modelOf(terminal)
  const type = (typed: readonly string[]) =>
    withSsh(terminal, { signal, timeoutMs: configureMs }, (client, limit) =>
      runShell(client, [...typed, 'exit'], limit),
    )
  const output = await type([...model.before, ...lines, ...model.after])
  const refused = refusedIn(model, output)
  if (refused.length)
    throw deviceError('DEVICE_REFUSED', nameOf(terminal), `it refuses lines: ${refused.join('; ').slice(0, 500)}`)
  if (!save || !model.save.length) return { output: output.slice(-mostInAnswer) }
  const saved = await type(model.save)
  const [failed] = refusedIn(model, saved)
  if (failed !== undefined) throw deviceError('DEVICE_REFUSED', nameOf(terminal), `it has not saved: ${failed}`)
  return { output: output.slice(-mostInAnswer) }
}
