import { execFile } from 'node:child_process'
import { taskFailed } from '@contractor/plugin'

/** Runs ping(8): raw sockets need a privilege that the program has, and an agent should not. */
export function pingHost(
  { target, count }: { target: string; count: number },
  { signal }: { signal: AbortSignal },
): Promise<{ answered: boolean }> {
  return new Promise((resolve, reject) => {
    const limitMs = (count + 10) * 1000
    execFile(
      'ping',
      ['-n', '-c', String(count), '-W', '2', target],
      { signal, timeout: limitMs },
      (error, _, stderr) => {
        if (!error) return resolve({ answered: true })
        if (signal.aborted) return reject(signal.reason)
        if (error.code === 'ENOENT') {
          const remedy = 'install it there (Debian: package iputils-ping)'
          return reject(taskFailed(`Cannot ping ${target}: the agent's machine has no program 'ping'; ${remedy}`))
        }
        // 1: nobody answered. Anything else is about the host name, the network or the privilege, and ping says which.
        if (Number(error.code) === 1 && stderr === '') return resolve({ answered: false })
        reject(taskFailed(`Cannot ping ${target}: ${stderr.trim() || error.message}`))
      },
    )
  })
}
