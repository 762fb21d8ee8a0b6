import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What the Structures install, so that no test has to; and what makes a machine of a container. */
const packages = [
  ...['openssh-server', 'sudo', 'procps', 'bind9', 'nginx-light', 'haproxy', 'nodejs'],
  ...['docker.io', 'iptables', 'ignition'],
]

export interface DebianImage {
  /** A tar of its root. */
  readonly tar: string
  /** Of its SSH server, as `ssh-keygen -lf` shows it. */
  readonly hostKey: string
}

/** Why none can be made here; nothing where one can, or is there. */
export function whyNoDebian(): string | undefined {
  if (existsSync(join(cached(), 'root.tar'))) return undefined
  if (process.getuid?.() !== 0) return 'needs root'
  if (spawnSync('debootstrap', ['--version']).error) return 'needs debootstrap'
  return undefined
}

/** By what is in it: another list of packages is another image. Of another user's there nothing is believed. */
function cached(): string {
  const all = join(tmpdir(), `contractor-debian-${process.getuid?.()}`)
  mkdirSync(all, { recursive: true, mode: 0o700 })
  if (statSync(all).uid !== process.getuid?.()) throw new Error(`${all} is another user's`)
  return join(
    all,
    createHash('sha256')
      .update(`2 ${packages.join(' ')}`)
      .digest('hex')
      .slice(0, 16),
  )
}

/** A Debian with these packages. It is made once, from where this machine's own packages come, and kept. */
export async function makeDebianImage(): Promise<DebianImage> {
  const folder = cached()
  if (!existsSync(join(folder, 'root.tar'))) await bootstrap(folder)
  return { tar: join(folder, 'root.tar'), hostKey: readFileSync(join(folder, 'host-key'), 'utf8') }
}

async function bootstrap(folder: string): Promise<void> {
  const { mirror, release } = findMirror()
  const work = mkdtempSync(join(folder, '../making-'))
  try {
    const root = join(work, 'root')
    await run('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, release, root, mirror])
    const file = (path: string) => join(root, path)
    for (const path of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'])
      rmSync(file(path), { recursive: true, force: true })
    writeFileSync(file('etc/apt/sources.list'), '')
    // In a container nobody raises limits, and Debian's script ends where it cannot.
    const script = file('etc/init.d/docker')
    writeFileSync(script, readFileSync(script, 'utf8').replace(/^\s*ulimit .*$/gm, ':'))
    const shown = execFileSync('ssh-keygen', ['-lf', file('etc/ssh/ssh_host_ed25519_key.pub')], { encoding: 'utf8' })
    const made = join(work, 'made')
    mkdirSync(made)
    writeFileSync(join(made, 'host-key'), shown.split(' ')[1] ?? '')
    await run('tar', ['-C', root, '-cf', join(made, 'root.tar'), '.'])
    if (!existsSync(folder)) renameSync(made, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Where this machine's own packages come from. */
function findMirror(): { mirror: string; release: string } {
  const format = '$(REPO_URI) $(CODENAME)'
  const text = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages', 'Label: Debian'], {
    encoding: 'utf8',
  })
  const found = text.split('\n').map(line => line.split(' '))
  const [mirror, release] = found.find(([, name]) => name !== undefined && !name.includes('-')) ?? []
  if (!mirror || !release) throw new Error('No source of Debian is known here: run apt-get update')
  return { mirror, release }
}
