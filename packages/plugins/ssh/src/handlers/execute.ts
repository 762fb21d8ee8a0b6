import { runCommand, withSsh } from '@contractor/driver/ssh'
import type { HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'

/** Of each output, what a script gets of it, in characters; all of both is an attachment then. */
const mostInAnswer = 64_000

type Wanted = z.output<(typeof tasks)['execute']['params']>

/** The command's own time begins once one is logged in. */
export async function execute(
  wanted: Wanted,
  context: HandlerContext,
): Promise<z.input<(typeof tasks)['execute']['result']>> {
  const { timeoutMs } = wanted
  const { rc, signal, stdout, stderr } = await withSsh(wanted, { signal: context.signal, timeoutMs }, (client, limit) =>
    runCommand(client, wanted, limit),
  )
  const isLong = stdout.length > mostInAnswer || stderr.length > mostInAnswer
  const all = isLong ? await context.attach('output.txt', `${stdout}\n--- stderr\n${stderr}`) : null
  return { rc, signal, stdout: stdout.slice(-mostInAnswer), stderr: stderr.slice(-mostInAnswer), all }
}
