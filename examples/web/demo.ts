import { parseArgs } from 'node:util'
import { isAlive, isPortOpen, readPage } from './look.ts'
import { lastLines } from './programs.ts'
import { createProgress } from './progress.ts'
import { createWebSite, type WebSite } from './web-site.ts'

/**
 * `npm run demo`: three web servers, built and destroyed end to end by a real server and a real agent.
 * `-- --keep` leaves them running until Ctrl-C. `DATABASE_URL` names a PostgreSQL server to use instead of PGlite.
 */
const usage = `Usage: npm run demo [-- --keep]

Starts a Contractor server and an agent, builds three web servers with them, shows them, and destroys them again.

  --keep        leave everything running, and print the URLs and an admin token; Ctrl-C ends it
  --help        this text
  DATABASE_URL  (environment) a PostgreSQL server to use; an embedded database in a new folder unless set
`

const write = (line = '') => process.stdout.write(`${line}\n`)

const options = readOptions()
if (options.help) write(usage)
else process.exitCode = await main(options.keep)

function readOptions(): { keep: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    })
    return values
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

async function main(keep: boolean): Promise<number> {
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Several may come: Ctrl-C reaches this process from the terminal and, under npm, from npm too.
    process.on(name, () => interrupted.abort(new Error('interrupted')))
  }

  const site = await createWebSite({
    database: process.env.DATABASE_URL,
    signal: interrupted.signal,
    notice: text => write(`  ${text}`),
  })
  let current = 'begin'
  const step = async (title: string, run: () => Promise<string | undefined>) => {
    current = title
    interrupted.signal.throwIfAborted()
    write(`${title} …`)
    const began = performance.now()
    const said = await run()
    write(`  ${said ?? 'done'} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  }
  try {
    await build(site, step)
    if (keep) {
      write(`\nIt goes on running. The server: ${site.serverUrl()}/api/v1, admin token: ${site.adminToken}`)
      for (const { hostname, port } of site.hosts) write(`  ${hostname}  http://127.0.0.1:${port}/`)
      write('Press Ctrl-C to end it.')
      await untilAborted(interrupted.signal)
      write('')
      await site.removeAll()
      write('Everything is destroyed again.')
    } else {
      await destroy(site, step)
      write('\nThe demo is complete: everything was built, seen, and destroyed again.')
    }
    await site.close()
    return 0
  } catch (error) {
    process.stderr.write(
      `\nThe demo failed at the step "${current}": ${error instanceof Error ? error.message : String(error)}\n`,
    )
    if (!interrupted.signal.aborted) {
      for (const file of site.logFiles()) process.stderr.write(`  the end of ${file}:\n${await lastLines(file)}\n`)
    }
    await site.removeAll().catch(reason => process.stderr.write(`  cleaning up failed too: ${String(reason)}\n`))
    await site.close()
    return 1
  }
}

/** A pending promise alone does not keep a process alive; a timer does. */
function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000)
  return new Promise<void>(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  }).finally(() => clearInterval(alive))
}

type Step = (title: string, run: () => Promise<string | undefined>) => Promise<void>

async function build(site: WebSite, step: Step): Promise<void> {
  await step('1. Start the server', async () => {
    await site.startServer()
    return `it listens on ${site.serverUrl()}, on ${process.env.DATABASE_URL ? 'PostgreSQL' : 'an embedded database'}`
  })
  await step('2. Load the BluePrints, create Sites, Foundations and Structures', async () => {
    await removeLeftovers(site)
    const loaded = await site.loadBlueprints()
    await site.createObjects()
    return `${loaded} resources; ${site.hosts.map(host => `${host.hostname} in ${host.site}`).join(', ')}`
  })
  await step('3. Start a SubContractor with a token of its own', async () => {
    await site.startAgent()
    return 'it may have process and iputils work of the Site lab and all below it'
  })
  await step('4. Order everything at once', async () => {
    await site.order('create')
    return `${2 * site.hosts.length} create jobs`
  })
  await step('5. Watch it being built', async () => {
    await site.follow(createProgress(process.stdout, write).show)
    return `${site.hosts.length} Structures are built`
  })
  await step('6. Look at what was built', () => look(site))
}

/** An earlier run on the same database may have been killed. */
async function removeLeftovers(site: WebSite): Promise<void> {
  const { items } = await site.api.get<{ items: { name: string }[] }>('/sites')
  if (!items.some(one => one.name === 'lab')) return
  write('  an earlier demo was not ended here: removing what it left')
  await site.startAgent()
  await site.removeAll()
  await site.stopAgent()
}

async function look(site: WebSite): Promise<string> {
  const structures = await site.structures()
  for (const { hostname, port, site: of } of site.hosts) {
    const page = await readPage(port)
    const greeting = of === 'lab' ? 'Hello from the lab' : 'Hello from the annex'
    for (const part of [greeting, hostname, String(port)]) {
      if (!page.includes(part)) throw new Error(`the page of ${hostname} does not carry '${part}':\n${page}`)
    }
    write(`  http://127.0.0.1:${port}/  ${hostname}: "${greeting}", inherited from the Site ${of}`)
  }
  const last = structures.at(-1)
  const { server, ...config } = await site.api.get<Record<string, unknown>>(`/structures/${last?.id}/config`)
  write(`\n  The merged config of ${last?.hostname} (without 'server', ${String(server).length} characters):`)
  write(indent(JSON.stringify(config, null, 2)))
  write('\n  GET /api/v1/structures:')
  write(indent(JSON.stringify(await site.api.get('/structures'), null, 2)))
  const { count } = await site.api.get<{ count: number }>('/structures/count?blueprint=web')
  write(`\n  Structures of BluePrint web: ${count}`)
  if (count !== site.hosts.length)
    throw new Error(`there are ${count} Structures of BluePrint web, not ${site.hosts.length}`)
  return 'all pages are right'
}

async function destroy(site: WebSite, step: Step): Promise<void> {
  const pids = await site.pids()
  await step('7. Destroy everything, in order', async () => {
    await site.order('destroy')
    await site.follow(createProgress(process.stdout, write).show)
    const alive = pids.filter(isAlive)
    if (pids.length !== site.hosts.length || alive.length)
      throw new Error(`processes are still there: ${alive.join(', ')}`)
    for (const { port } of site.hosts) if (await isPortOpen(port)) throw new Error(`port ${port} is still open`)
    await site.removeAll()
    return `${pids.length} processes are gone and ${site.hosts.length} ports are closed`
  })
}

function indent(text: string): string {
  return text
    .split('\n')
    .map(line => `    ${line}`)
    .join('\n')
}
