import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A Docker daemon of our own, with all that is its own in a folder of its own, and one image made of busybox-static. */
export interface DockerDaemon {
  /** As a Complex has it. */
  readonly host: string
  /** Of busybox; it is there already. */
  readonly image: string
  /** The docker command against it; gives what it wrote. */
  run(...args: string[]): string
  stop(): Promise<void>
}

/** Why none can be started here; nothing where it can. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (spawnSync('dockerd', ['--version']).error) return 'needs dockerd, of package docker.io'
  if (spawnSync('busybox', ['true']).error) return 'needs busybox, of package busybox-static'
  return undefined
}

export const dockerImage = 'contractor-busybox:1'

export interface DockerOptions {
  /** `overlay2` where images are large and the kernel has it: vfs copies all of an image for each container. */
  storage?: 'vfs' | 'overlay2'
  /** Networks of its own alone, and no bridge that other daemons have too. */
  hasBridge?: boolean
}

export async function startDockerDaemon({
  storage = 'vfs',
  hasBridge = true,
}: DockerOptions = {}): Promise<DockerDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'dockerd-'))
  const host = `unix://${folder}/docker.sock`
  // No rules of its own in the machine's network, and no driver that needs a kernel's module: it leaves nothing behind.
  const quiet = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false']
  const daemon = spawn(
    'dockerd',
    [
      ...['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '-H', host, '-p', `${folder}/pid`],
      ...[`--storage-driver=${storage}`, '--exec-opt', 'native.cgroupdriver=cgroupfs', ...quiet],
      ...(hasBridge ? ['--bip', '10.88.0.1/24'] : ['--bridge', 'none']),
      ...['--insecure-registry', '127.0.0.0/8'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', part => (log = `${log}${part}`.slice(-4000)))
  // By its path: a shell may have another docker before it, which is none.
  const run = (...args: string[]) =>
    execFileSync('/usr/bin/docker', args, {
      env: { ...process.env, DOCKER_HOST: host },
      encoding: 'utf8',
      stdio: 'pipe',
    })
  const stop = async () => {
    const ended = new Promise(resolve => daemon.once('exit', resolve))
    if (daemon.exitCode === null) {
      try {
        const all = run('ps', '-aq').split('\n').filter(Boolean)
        if (all.length) run('rm', '-f', '-v', ...all)
        const networks = run('network', 'ls', '-q', '--filter', 'type=custom').split('\n').filter(Boolean)
        if (networks.length) run('network', 'rm', ...networks)
      } catch {
        // It has ended, or was never there.
      }
      daemon.kill('SIGTERM')
      await Promise.race([ended, delay(20_000, undefined, { ref: false }).then(() => daemon.kill('SIGKILL'))])
    }
    rmSync(folder, { recursive: true, force: true })
  }
  for (let attempt = 0; ; attempt++) {
    try {
      run('version')
      break
    } catch (error) {
      if (attempt < 120 && daemon.exitCode === null) await delay(250)
      else {
        await stop()
        throw new Error(`dockerd did not start: ${log}`, { cause: error })
      }
    }
  }
  importBusybox(join(folder, 'root'), host)
  return { host, image: dockerImage, run, stop }
}

/** There is no registry to get an image from: one is made of a static busybox, and nothing else. */
function importBusybox(root: string, host: string): void {
  const program = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
  for (const folder of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(root, folder), { recursive: true })
  copyFileSync(program, join(root, 'bin/busybox'))
  chmodSync(join(root, 'bin/busybox'), 0o755)
  for (const name of ['sh', 'sleep', 'echo', 'cat', 'httpd', 'seq', 'id', 'false', 'true', 'touch', 'ls'])
    symlinkSync('busybox', join(root, 'bin', name))
  const script = `tar -C "$0" -c . | /usr/bin/docker import - ${dockerImage}`
  execFileSync('sh', ['-c', script, root], { env: { ...process.env, DOCKER_HOST: host }, stdio: 'pipe' })
}
