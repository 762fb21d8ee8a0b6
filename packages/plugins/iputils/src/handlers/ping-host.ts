import { runProgram } from '@contractor/driver/program'
import { type HandlerContext, taskFailed } from '@contractor/plugin'

const remedy = 'install it there (Debian: package iputils-ping)'

/** Runs ping(8): raw sockets need a privilege that the program has, and an agent should not. */
export async function pingHost(
  { target, count }: { target: string; count: number },
  { signal }: Pick<HandlerContext, 'signal'>,
): Promise<{ percent: number; meanMs: number | null }> {
  const args = ['-n', '-q', '-c', String(count), '-W', '2', target]
  const { code, stdout, stderr } = await runProgram('ping', args, { signal, timeoutMs: (count + 10) * 1000, remedy })
  const [, sent, received] = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout) ?? []
  // 1: nobody answered. Anything else is about the host name, the network or the privilege, and ping says which.
  if (sent === undefined || (code !== 0 && code !== 1) || stderr.trim())
    throw taskFailed(`Cannot ping ${target}: ${stderr.trim() || `exit code ${code}`}`)
  const [, mean] = /= [\d.]+\/([\d.]+)\//.exec(stdout) ?? []
  return {
    percent: Math.round((100 * Number(received)) / Number(sent)),
    meanMs: mean === undefined ? null : Number(mean),
  }
}
