import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'

/** A libvirtd of its own, of a user without rights where that can be, whose files are all in one folder. */
export interface Libvirtd {
  readonly uri: string
  readonly folder: string
  virsh(...args: string[]): string
  stop(): Promise<void>
}

export const isMissing = ['libvirtd', 'virsh', 'qemu-system-x86_64'].some(
  program =>
    !(process.env.PATH ?? '')
      .split(':')
      .concat('/usr/sbin')
      .some(folder => existsSync(join(folder, program))),
)

export async function startLibvirtd(): Promise<Libvirtd> {
  const folder = mkdtempSync(join(tmpdir(), 'lv-'))
  const isRoot = process.getuid?.() === 0
  // Of libvirt's own rules: as root it is the system's, and keeps its state there.
  const [user, group] = isRoot ? [idOf('-u'), idOf('-g')] : [undefined, undefined]
  chmodSync(folder, 0o755)
  for (const name of ['run', 'config', 'data', 'cache', 'pool']) {
    mkdirSync(join(folder, name))
    if (user !== undefined && group !== undefined) chownSync(join(folder, name), user, group)
  }
  const of = (name: string) => join(folder, name)
  const env = {
    ...{ PATH: `${process.env.PATH}:/usr/sbin`, HOME: of('data'), XDG_RUNTIME_DIR: of('run') },
    ...{ XDG_CONFIG_HOME: of('config'), XDG_DATA_HOME: of('data'), XDG_CACHE_HOME: of('cache') },
  }
  const socket = of('run/libvirt/libvirt-sock')
  const daemon = spawn('libvirtd', ['--timeout', '600'], {
    env,
    stdio: 'ignore',
    ...(user !== undefined && group !== undefined && { uid: user, gid: group }),
  })
  const uri = `qemu+unix:///session?socket=${socket}`
  const virsh = (...args: string[]) =>
    execFileSync('virsh', ['-q', '-c', uri, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  await vi.waitFor(() => virsh('version'), { timeout: 60_000, interval: 200 })
  virsh('pool-define-as', 'default', 'dir', '--target', of('pool'))
  virsh('pool-start', 'default')
  return {
    uri,
    folder,
    virsh,
    async stop() {
      for (const name of virsh('list', '--name').split('\n')) if (name.trim()) virsh('destroy', name.trim())
      const ended = new Promise(resolve => daemon.once('close', resolve))
      daemon.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const idOf = (which: '-u' | '-g'): number => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }))

/**
 * A virsh that stands before the real one, for what that cannot be made to do: for a command that has the text of the file `match`, it
 * does what `fault` says, once, and else what the real one does.
 */
export function putShim(folder: string): (match: string, fault: string) => void {
  const real = execFileSync('sh', ['-c', 'command -v virsh'], { encoding: 'utf8' }).trim()
  const path = join(folder, 'shim')
  mkdirSync(path)
  writeFileSync(
    join(path, 'virsh'),
    `#!/bin/sh
if [ -f '${path}/match' ] && echo "$*" | grep -q -- "$(cat '${path}/match')"; then
  rm '${path}/match'
  . '${path}/fault'
fi
exec ${real} "$@"
`,
  )
  chmodSync(join(path, 'virsh'), 0o755)
  vi.stubEnv('PATH', `${path}:${process.env.PATH}`)
  return (match, fault) => {
    writeFileSync(join(path, 'fault'), fault)
    writeFileSync(join(path, 'match'), match)
  }
}
