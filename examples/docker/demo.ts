import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Contractor, createContractor, type Job } from '@contractor/core'
import { docker } from '@contractor/plugin-docker'
import { handlers as dockerHandlers } from '@contractor/plugin-docker/handlers'
import { iputils } from '@contractor/plugin-iputils'
import { handlers as iputilsHandlers } from '@contractor/plugin-iputils/handlers'
import { createServer, listen } from '@contractor/server'
import { createSubContractor } from '@contractor/subcontractor'
import { type DockerDaemon, dockerImage, startDockerDaemon, whyNoDocker } from '../../test/dockerd.ts'

/**
 * `npm run demo:docker`: three web servers in containers, built and destroyed by an engine, a server and an agent in one
 * program, as who embeds Contractor writes it. Without `--docker-host`, it starts a daemon of its own and ends it again.
 */
const usage = `Usage: npm run demo:docker [-- --docker-host URL --image IMAGE]

Builds three web servers as Docker containers, shows that they answer, and destroys them again.

  --docker-host URL  a daemon to use, as unix:///var/run/docker.sock; a new one of its own unless said, which needs root
  --image IMAGE      an image that has httpd, as busybox:1.37; needed with --docker-host
  --help             this text
`
const hosts = ['web01', 'web02', 'web03']
const write = (line: string) => process.stdout.write(`${line}\n`)

process.exitCode = await main()

async function main(): Promise<number> {
  let given: { 'docker-host'?: string; image?: string; help?: boolean }
  try {
    const options = { 'docker-host': { type: 'string' }, image: { type: 'string' }, help: { type: 'boolean' } } as const
    given = parseArgs({ options }).values
    if (given['docker-host'] !== undefined && given.image === undefined) throw new Error('--docker-host needs --image')
  } catch (error) {
    process.stderr.write(`demo:docker: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  if (given.help) {
    write(usage)
    return 0
  }
  const why = given['docker-host'] === undefined ? whyNoDocker() : undefined
  if (why !== undefined) {
    process.stderr.write(
      `demo:docker: to start a Docker daemon of its own, it ${why}. Or say --docker-host and --image.\n`,
    )
    return 1
  }
  const ends: (() => Promise<unknown>)[] = []
  try {
    const daemon = given['docker-host'] === undefined ? await step('1. Start a Docker daemon', startDaemon) : undefined
    if (daemon) ends.push(daemon.stop)
    await run(given['docker-host'] ?? daemon?.host ?? '', given.image ?? dockerImage, ends)
    write('\nThe demo is complete: everything was built, seen, and destroyed again.')
    return 0
  } catch (error) {
    process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function startDaemon(): Promise<DockerDaemon> {
  const daemon = await startDockerDaemon()
  write(`   it listens at ${daemon.host}`)
  return daemon
}

async function run(dockerHost: string, image: string, ends: (() => Promise<unknown>)[]): Promise<void> {
  const contractor = await createContractor({ database: 'memory:', plugins: [docker, iputils] })
  ends.push(() => contractor.close())
  const handlers = [dockerHandlers, iputilsHandlers]
  await step('2. Start the server and an agent, and say what there is to be', async () => {
    const server = await listen(createServer(contractor), { host: '127.0.0.1', port: 0 })
    ends.push(() => server.close())
    await describe(contractor, dockerHost, image)
    const token = await contractor.tokens.create({
      ...{ kind: 'agent', name: 'demo', sites: ['lab'], modules: handlers.map(one => one.module) },
    })
    const agent = createSubContractor({ server: server.url, token: token.secret, name: 'demo', handlers })
    agent.start()
    ends.push(() => agent.stop())
    write(`   ${hosts.join(', ')} on the Complex docker1, by the server ${server.url}`)
  })
  const structures = (await contractor.structures.list({})).items
  await step('3. Build everything', async () => {
    const foundations = structures.map(one => contractor.foundations.doCreate(one.foundation))
    await follow(await Promise.all(foundations))
    await follow(await Promise.all(structures.map(one => contractor.structures.doCreate(one.id))))
  })
  await step('4. Look at what was built', async () => {
    for (const { id, hostname } of structures) {
      const { docker_check_port: port } = await contractor.structures.config(id)
      const page = await (await fetch(`http://127.0.0.1:${port}/page`)).text()
      if (!page.includes(hostname)) throw new Error(`the page of ${hostname} does not name it: ${page}`)
      write(`   http://127.0.0.1:${port}/page  ${page.trim()}`)
    }
  })
  await step('5. Destroy everything', async () => {
    await follow(await Promise.all(structures.map(one => contractor.structures.doDestroy(one.id))))
    await follow(await Promise.all(structures.map(one => contractor.foundations.doDestroy(one.foundation))))
    for (const { foundation } of structures) {
      const { exists } = await contractor.foundations.read(foundation)
      if (exists) throw new Error(`the container ${foundation} is still there`)
    }
    write(`   ${structures.length} containers are gone`)
  })
}

/** All that there is to be: a daemon, and three web servers on it. */
async function describe(contractor: Contractor, dockerHost: string, image: string): Promise<void> {
  const built = join(import.meta.dirname, '../../packages/plugins/docker/resources.toml')
  const installed = join(import.meta.dirname, 'node_modules/@contractor/plugin-docker/resources.toml')
  await contractor.sites.create({ name: 'lab' })
  await contractor.resources.load([existsSync(installed) ? installed : built])
  await contractor.complexes.create({
    ...{
      name: 'docker1',
      site: 'lab',
      type: 'Docker',
      fields: { docker_host: dockerHost, docker_ports: '24000-24099' },
    },
  })
  const command = 'echo "This is {{ _hostname }} of {{ _site }}" > /www/page; exec httpd -f -p 80 -h /www'
  await contractor.blueprints.put({
    ...{ kind: 'structure', name: 'web', parents: ['docker-service'] },
    configValues: { docker_image: image, docker_command: ['sh', '-c', command], port_list: [80], memory_size: 64 },
  })
  for (const name of hosts) {
    await contractor.foundations.create({
      ...{ locator: name, type: 'Docker', site: 'lab', blueprint: 'docker-container-base', complex: 'docker1' },
    })
    await contractor.structures.create({ hostname: name, site: 'lab', blueprint: 'web', foundation: name })
  }
}

/** Waits for Jobs, and tells each one's end. */
async function follow(jobs: readonly Job[]): Promise<void> {
  await Promise.all(
    jobs.map(async job => {
      const { action, foundation, structure, createdAt, finishedAt } = await job.completed({ timeoutMs: 300_000 })
      const target = foundation === null ? `Structure ${structure}` : `Foundation ${foundation}`
      const seconds = (Date.parse(String(finishedAt)) - Date.parse(String(createdAt))) / 1000
      write(`   ${target.padEnd(18)} ${action.padEnd(8)} done in ${seconds.toFixed(1)} s`)
    }),
  )
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  write(`${title} …`)
  const begun = performance.now()
  const value = await work()
  write(`   done (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
  return value
}
