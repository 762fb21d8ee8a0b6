import { type DeviceErrorCode, deviceError } from '@contractor/driver'
import { runProgram } from '@contractor/driver/program'
import { ContractorError } from '@contractor/plugin'

/** VirtualBox on the agent's machine, by VBoxManage(1). */
export interface VBox {
  readonly name: string
  /** What the command has written. Throws a coded error with VirtualBox's own words. */
  run(args: readonly string[], options?: { timeoutMs?: number }): Promise<string>
}

/** How long a command may take where nothing else is said, in milliseconds. */
const commandMs = 60_000
const remedy = 'install VirtualBox there'

export function createVBox(host: string, { signal }: { signal: AbortSignal }): VBox {
  const name = `VirtualBox ${host}`
  return {
    name,
    async run(args, { timeoutMs = commandMs } = {}) {
      const { code, stdout, stderr, isLate } = await runProgram('VBoxManage', ['-q', ...args], {
        ...{ signal, timeoutMs, remedy },
      })
      if (code === 0) return stdout
      const what = args.slice(0, 2).join(' ')
      if (isLate) throw deviceError('DEVICE_TIMED_OUT', name, `'${what}' was killed after ${timeoutMs / 1000} s`)
      throw failureOf(name, what, `${stderr}\n${stdout}`)
    },
  }
}

/** What VBoxManage writes when it fails, and what that means: the first row that fits. */
const failures: readonly { words: RegExp; code: DeviceErrorCode | 'NOT_FOUND' | 'ALREADY_EXISTS' }[] = [
  {
    words: /(locked|unlocked\)?) (by|for) a session|being (locked or )?unlocked|while it is locked/i,
    code: 'DEVICE_BUSY',
  },
  {
    words: /VERR_DISK_FULL|no space left|VERR_NO_MEMORY|out of memory|not enough (free )?memory/i,
    code: 'DEVICE_FULL',
  },
  {
    words: /VERR_VMX|VERR_SVM|VT-x is|AMD-V is|kernel driver not installed|VERR_VM_DRIVER/i,
    code: 'DEVICE_UNSUPPORTED',
  },
  {
    words: /failed to create the VirtualBox object|SERVER_EXEC_FAILURE|NS_ERROR_CALL_FAILED/i,
    code: 'DEVICE_UNREACHABLE',
  },
  { words: /guest OS type .* is invalid/i, code: 'DEVICE_REFUSED' },
  {
    words: /VBOX_E_OBJECT_NOT_FOUND|could not find a (registered|snapshot)|does not exist|VERR_FILE_NOT_FOUND/i,
    code: 'NOT_FOUND',
  },
  { words: /already exists|VERR_ALREADY_EXISTS/i, code: 'ALREADY_EXISTS' },
]

function failureOf(device: string, what: string, output: string): Error {
  const code = failures.find(one => one.words.test(output))?.code ?? 'DEVICE_REFUSED'
  const words = `it refuses '${what}' (${wordsOf(output) || 'without a word'})`
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS')
    return new ContractorError(code, `${device}: ${words}`, { kind: 'machine', id: what })
  return deviceError(code, device, words)
}

/** What it says besides where in its own source that was. */
const wordsOf = (output: string): string =>
  output
    .split('\n')
    .map(line => line.replace(/^VBoxManage: error:\s*/, '').trim())
    .filter(line => line && !/^(Context:|Details: code .* component|0%)/.test(line))
    .join('; ')
    .slice(0, 500)
