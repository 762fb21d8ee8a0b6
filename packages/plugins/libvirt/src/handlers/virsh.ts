import { type DeviceErrorCode, deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { runProgram } from '@contractor/driver/program'
import { ContractorError } from '@contractor/plugin'
import type { Host } from '../connection.ts'

/** libvirt, by virsh(1). */
export interface Virsh {
  readonly name: string
  readonly pool: string
  /** What the command has written. Throws a coded error with libvirt's own words. */
  run(args: readonly string[], options?: { timeoutMs?: number; files?: readonly string[] }): Promise<string>
}

/** How long a command may take where nothing else is said, in milliseconds. */
const commandMs = 60_000
const remedy = 'install the Debian package libvirt-clients there'
const breaker = createBreaker()

export function createVirsh({ uri, pool }: Host, { signal }: { signal: AbortSignal }): Virsh {
  const name = `libvirt ${uri}`
  return {
    name,
    pool,
    run: (args, { timeoutMs = commandMs, files = [] } = {}) =>
      breaker.guard(uri, async () => {
        const options = { signal, timeoutMs, files, remedy }
        const { code, stdout, stderr, isLate } = await runProgram('virsh', ['-q', '-c', uri, ...args], options)
        if (code === 0) return stdout
        const what = args.slice(0, 2).join(' ')
        if (isLate) throw deviceError('DEVICE_TIMED_OUT', name, `'${what}' was killed after ${timeoutMs / 1000} s`)
        throw failureOf(name, what, stderr || stdout)
      }),
  }
}

interface Failure {
  words: RegExp
  code: DeviceErrorCode | 'NOT_FOUND' | 'ALREADY_EXISTS'
  says?: string
}

/** What virsh writes when it fails, and what that means: the first row that fits. Read from version 9.0. */
const failures: readonly Failure[] = [
  {
    words: /authentication failed|authentication cancelled|permission denied \(publickey/i,
    code: 'DEVICE_UNAUTHENTICATED',
  },
  {
    words: /host key verification failed|certificate (validation|is not)|no CA certificate/i,
    code: 'DEVICE_UNTRUSTED',
  },
  { words: /failed to connect to the hypervisor/i, code: 'DEVICE_UNREACHABLE' },
  { words: /cannot acquire state change lock|is locked|another process|resource busy/i, code: 'DEVICE_BUSY' },
  { words: /no space left|cannot allocate memory|out of memory|disk quota/i, code: 'DEVICE_FULL' },
  {
    words: /storage pool '?[^']*'? is not active|pool .* not active/i,
    code: 'DEVICE_REFUSED',
    says: 'its storage pool is not active: start it with virsh pool-start',
  },
  {
    words: /KVM is not available|could not access KVM|not support virt type 'kvm'|could not get preferred machine/i,
    code: 'DEVICE_UNSUPPORTED',
    says: 'it has no KVM: set libvirt_domain_type to qemu where that is meant',
  },
  {
    words: /unsupported configuration|not supported|no emulator|unable to find any firmware/i,
    code: 'DEVICE_UNSUPPORTED',
  },
  { words: /already (exists|in use)|already defined/i, code: 'ALREADY_EXISTS' },
  {
    words:
      /not found|no (domain|storage vol|storage pool|network|snapshot)|failed to get (domain|vol|pool|snapshot)|cannot access storage file|no such file/i,
    code: 'NOT_FOUND',
  },
]

function failureOf(device: string, what: string, output: string): Error {
  const { code, says }: Omit<Failure, 'words'> = failures.find(one => one.words.test(output)) ?? {
    code: 'DEVICE_REFUSED',
  }
  const words = `${says ?? `it refuses '${what}'`} (${wordsOf(output) || 'without a word'})`
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS')
    return new ContractorError(code, `${device}: ${words}`, { kind: 'machine', id: what })
  return deviceError(code, device, words)
}

const wordsOf = (output: string): string =>
  output
    .split('\n')
    .map(line => line.replace(/^error:\s*/, '').trim())
    .filter(Boolean)
    .join('; ')
    .slice(0, 500)
