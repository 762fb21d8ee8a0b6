import { setTimeout as delay } from 'node:timers/promises'
import { deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type ProgramResult, runProgram } from '@contractor/driver/program'
import type { Connection } from '../connection.ts'
import { findFailure, isCipherFailure } from './failures.ts'

/** How long one command may take before its ipmitool counts as hung, in milliseconds. */
const commandMs = 30_000
const remedy = 'install the Debian package ipmitool there'
const breaker = createBreaker()

/** One BMC, by ipmitool(1) over IPMI v2.0 (lanplus). The password reaches the program by a pipe, which only it can read. */
export interface Bmc {
  /** What the command has written. Throws a coded error with the BMC's own words. */
  run(command: readonly string[], options?: RunOptions): Promise<string>
  power(): Promise<PowerState>
  send(action: PowerAction): Promise<void>
}

export interface RunOptions {
  /** Secrets that the command reads from `/dev/fd/4` on. */
  secrets?: readonly string[]
  /** As comma separated values. */
  isTable?: boolean
}

export interface BmcOptions {
  signal: AbortSignal
  /** How long a command may take, in milliseconds; 30 s unless said. */
  commandMs?: number
  /** It is asked though it has been silent. */
  isTested?: boolean
}

export function createBmc(connection: Connection, options: BmcOptions): Bmc {
  const { signal, commandMs: limitMs = commandMs, isTested = false } = options
  const { host, port, username, password } = connection
  const device = `BMC ${host}`
  let cipher = connection.cipher ?? 17

  const attempt = (command: readonly string[], { secrets = [], isTable = false }: RunOptions) =>
    runProgram(
      'ipmitool',
      [
        ...['-I', 'lanplus', '-H', host, '-p', String(port), '-U', username, '-f', '/dev/fd/3', '-C', String(cipher)],
        // Three tries of two seconds: less than the whole command has. What it says with -v is why a session fails.
        ...['-N', '2', '-R', '3', isTable ? '-c' : '-v', ...command],
      ],
      { signal, timeoutMs: limitMs, secrets: [`${password}\n`, ...secrets], remedy },
    )

  const read = async (command: readonly string[], options: RunOptions): Promise<string> => {
    let result = await attempt(command, options)
    if (result.code !== 0 && connection.cipher === null && cipher === 17 && isCipherFailure(result.stderr)) {
      cipher = 3
      result = await attempt(command, options)
    }
    if (result.code === 0) return result.stdout
    throw failureOf(device, command, result, limitMs)
  }

  const bmc: Bmc = {
    run: (command, more = {}) =>
      isTested ? read(command, more) : breaker.guard(`${host}:${port}`, () => read(command, more)),
    async power() {
      const text = await bmc.run(['chassis', 'power', 'status'])
      const [, state] = /Chassis Power is (on|off)\b/i.exec(text) ?? []
      return state ? (state.toLowerCase() as PowerState) : 'unknown'
    },
    async send(action) {
      await bmc.run(['chassis', 'power', action])
    },
  }
  return bmc
}

function failureOf(
  device: string,
  command: readonly string[],
  { code, stdout, stderr, isLate }: ProgramResult,
  ms: number,
) {
  const words = wordsOf(`${stderr}\n${stdout}`)
  const what = command.slice(0, 3).join(' ')
  if (isLate) return deviceError('DEVICE_TIMED_OUT', device, `ipmitool was killed after ${ms / 1000} s of '${what}'`)
  const failure = findFailure(`${stderr}\n${stdout}`)
  return deviceError(
    failure.code,
    device,
    `${failure.says ?? `it refuses '${what}'`} (${words || `exit code ${code}`})`,
  )
}

/** What it says besides what it always says. */
const wordsOf = (text: string): string =>
  text
    .split('\n')
    .map(line => line.replace(/^[>\s]+/, '').trim())
    .filter(line => line && !/^(Loading IANA|Running Get|Discovered IPMB|Error: Unable to establish)/.test(line))
    .join('; ')
    .slice(0, 500)

/** Waits until it answers; gives how long that took, in milliseconds. */
export async function untilAnswer(bmc: Bmc, waitMs: number, signal: AbortSignal, everyMs = 5000): Promise<number> {
  const begun = performance.now()
  for (;;) {
    try {
      await bmc.power()
      return performance.now() - begun
    } catch (error) {
      if (signal.aborted || performance.now() - begun >= waitMs) throw error
      await delay(everyMs, undefined, { signal })
    }
  }
}
