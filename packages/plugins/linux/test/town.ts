import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Structure } from '@contractor/core'
import { createHandlerContext } from '@contractor/plugin/testing'
import { docker } from '@contractor/plugin-docker'
import { handlers as dockerHandlers } from '@contractor/plugin-docker/handlers'
import { iputils } from '@contractor/plugin-iputils'
import { handlers as iputilsHandlers } from '@contractor/plugin-iputils/handlers'
import { manual } from '@contractor/plugin-manual'
import type { TestContext } from 'vitest'
import { type DockerDaemon, startDockerDaemon } from '../../../../test/dockerd.ts'
import { openRig, type Rig } from '../../../../test/rig.ts'
import { handlers } from '../src/handlers/index.ts'
import { linux } from '../src/linux.ts'
import { makeDebianImage } from './debian-image.ts'

export const image = 'contractor-debian:1'
/** The machine itself, in the network of its containers: for them and for the agent their ports are there. */
export const gateway = '10.89.0.1'

export type Values = Record<string, unknown>

/** Machines with Debian, which are containers with an SSH server, and who builds Structures on them. */
export interface Town {
  readonly daemon: DockerDaemon
  readonly folder: string
  /** Who logs in. */
  readonly ssh: { private_key: string; host_key: string }
  /** An engine, its server and an agent, for one test. */
  open(test: TestContext): Promise<Rig>
  /** A container with that Structure on it; `before` is done once there is the container. */
  build(rig: Rig, hostname: string, blueprint: string, values?: Values, before?: () => void): Promise<Structure>
  /** A container that no Foundation is of, and its address. */
  start(name: string, address: string, ...options: string[]): string
  /** Runs a command in a container, whatever Contractor thinks of that one. */
  inside(name: string, command: string): string
  /** What a Task of the module answers, of a machine that is `start`ed. */
  run(address: string, task: string, params: Values, signal?: AbortSignal): Promise<Values>
  stop(): Promise<void>
}

export async function openTown(): Promise<Town> {
  const debian = await makeDebianImage()
  const hasOverlay = readFileSync('/proc/filesystems', 'utf8').includes('overlay')
  const daemon = await startDockerDaemon({ storage: hasOverlay ? 'overlay2' : 'vfs', hasBridge: false })
  daemon.run('import', debian.tar, image)
  daemon.run('network', 'create', '--subnet', '10.89.0.0/24', '--gateway', gateway, 'lab')
  const folder = mkdtempSync(join(tmpdir(), 'linux-'))
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  const privateKey = readFileSync(join(folder, 'key'), 'utf8')
  const publicKey = readFileSync(join(folder, 'key.pub'), 'utf8').trim()
  const boot = [
    ...['sh', '-c'],
    `mkdir -p /run/sshd /root/.ssh; echo '${publicKey}' >/root/.ssh/authorized_keys; exec /usr/sbin/sshd -D`,
  ]

  let opened = 0
  async function open({ onTestFinished }: TestContext): Promise<Rig> {
    // Engines that know nothing of each other would give one port twice.
    const first = 26_000 + 20 * opened++
    const rig = await openRig({
      onFinished: onTestFinished,
      plugins: [linux, docker, iputils, manual],
      handlers: [handlers, dockerHandlers, iputilsHandlers],
      resources: ['..', '../../docker', '../../manual'].map(one => join(import.meta.dirname, one, 'resources.toml')),
      concurrency: { linux: 10, docker: 10, iputils: 10 },
    })
    await rig.contractor.secrets.put({ name: 'ssh-key', value: privateKey })
    await rig.contractor.sites.update('lab', {
      configValues: {
        ...{ ssh_private_key: { $secret: 'ssh-key' }, ssh_host_key: debian.hostKey, docker_address: gateway },
        ...{ docker_image: image, docker_command: boot, docker_network: 'lab' },
      },
    })
    await rig.contractor.complexes.create({
      ...{ name: 'docker1', site: 'lab', type: 'Docker' },
      fields: { docker_host: daemon.host, docker_ports: `${first}-${first + 19}` },
    })
    return rig
  }

  return {
    ...{ daemon, folder, open, ssh: { private_key: privateKey, host_key: debian.hostKey } },
    async build({ contractor, finish }, hostname, blueprint, values = {}, before = () => undefined) {
      await contractor.foundations.create({
        ...{ locator: hostname, type: 'Docker', site: 'lab', blueprint: 'docker-container-base', complex: 'docker1' },
      })
      const structure = await contractor.structures.create({
        ...{ hostname, site: 'lab', blueprint, foundation: hostname, configValues: values as never },
      })
      await finish(contractor.foundations.doCreate(hostname))
      before()
      await finish(structure.doCreate())
      return structure
    },
    start(name, address, ...options) {
      daemon.run('run', '-d', '--name', name, '--network', 'lab', '--ip', address, ...options, image, ...boot)
      return address
    },
    inside: (name, command) => daemon.run('exec', name, 'sh', '-c', command),
    run: (host, task, params, signal = new AbortController().signal) =>
      handlers.run(
        task,
        {
          ...{ host, username: 'root', private_key: privateKey, host_key: debian.hostKey, timeoutMs: 60_000 },
          ...params,
        },
        createHandlerContext({ signal }),
      ) as Promise<Values>,
    async stop() {
      await daemon.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A certificate authority of a moment, and who has a certificate of it: PEM texts. */
export function makeCertificates(folder: string, address: string) {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.pem'))
  const issue = (name: string, extension: string) => {
    writeFileSync(at(`${name}.ext`), extension)
    openssl('req', '-new', ...key, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`))
    const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2']
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...signed,
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    )
    return { cert: readFileSync(at(`${name}.pem`), 'utf8'), key: readFileSync(at(`${name}.key`), 'utf8') }
  }
  return {
    ca: readFileSync(at('ca.pem'), 'utf8'),
    server: issue('server', `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth\n`),
    client: issue('client', 'extendedKeyUsage=clientAuth\n'),
  }
}
